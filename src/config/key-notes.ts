/**
 * What each key of bng.yaml means: one note for every key of sections.ts, no other (file-schema.ts demands both). Types,
 * defaults and checks are in sections.ts; the reference, the schema and the example file are made of the two.
 */

export interface KeyNote {
  readonly meaning: string;
  /** Where the type does not say it. */
  readonly unit?: string;
  /** What stands for a default that is no constant. */
  readonly otherwise?: string;
  /** A number that people know in hexadecimal. */
  readonly hex?: true;
}

/** By path; `[]` stands for each item of a list, `*` for each name of a mapping. */
export const KEY_NOTES: Readonly<Record<string, KeyNote>> = {
  access: { meaning: 'Towards the OLT.' },
  'access.interface': {
    meaning: 'Carries the frames of subscribers, tagged or not. Or a list: [access0, access1].',
  },
  'access.xdpMode': { meaning: 'generic is slower: only for a driver without native XDP.' },
  'access.mtu': {
    meaning: 'Longest IP packet towards a subscriber; the MTU of the interface must be 8 more.',
    unit: 'bytes',
  },
  'access.vlan': { meaning: 'How lines are tagged.' },
  'access.vlan.sVlanTpid': { meaning: 'Outer tag of a line: 0x88a8 (802.1ad) or 0x8100.', hex: true },
  'access.vlan.cVlanTpid': { meaning: 'Inner tag.', hex: true },
  'access.trustOption82': {
    meaning: 'Believe what DHCP option 82 says of the line. Only where our own access node inserts it.',
  },
  'access.localForwarding': { meaning: 'Subscribers may reach each other through the gateway.' },
  'access.forwardInStack': {
    meaning: 'For comparison only: XDP judges every packet, the stack of the kernel forwards it.',
  },
  'access.fastDhcp': {
    meaning: 'XDP answers renewals and known lines; false leaves all DHCP to user space.',
  },
  'access.tune': {
    meaning:
      'Set the MTU of access interfaces and a receive queue for each CPU on both sides (docs/install.md); taken back at teardown, or when false.',
  },
  core: { meaning: 'Towards the IP core.' },
  'core.interface': { meaning: 'Or a list: [core0, core1]. Next hops are what the routing table says.' },
  pools: {
    meaning:
      'Networks must not overlap and may be as large as a /12. Network, gateway, broadcast and excluded addresses are never given to a subscriber.',
  },
  'pools[].name': { meaning: 'By which orders, records, RADIUS and poolGroups name it.' },
  'pools[].network': { meaning: 'The addresses of the pool.' },
  'pools[].gateway': { meaning: 'The router of its subscribers; the BNG answers for it.' },
  'pools[].dns': { meaning: 'Resolvers, in order. Garden members reach those of their pool and no others.' },
  'pools[].leaseTime': { meaning: 'What a DHCP client is promised.' },
  'pools[].exclude': { meaning: 'Never given to a subscriber.' },
  'pools[].renewTime': {
    meaning: 'T1: when a client asks its server again (option 58).',
    otherwise: 'half of leaseTime',
  },
  'pools[].rebindTime': {
    meaning: 'T2: when it asks any server (option 59).',
    otherwise: 'seven eighths of leaseTime',
  },
  'pools[].options': {
    meaning:
      'More DHCP options for the clients of this pool: "15 text example.net", "42 addresses 192.0.2.1".',
  },
  'pools[].drain': {
    meaning:
      'Empties the pool: nobody new gets an address of it. keep: who has one goes on renewing it; move: who asks again is moved to another pool of the group. An empty pool can be taken out by a reload.',
  },
  poolGroups: {
    meaning:
      'Several pools under one name, in the order in which they are filled. The name goes wherever a pool is named, walledGarden.pool apart.',
  },
  'poolGroups.*': { meaning: 'The pools of this group, in order.' },
  dhcp: { meaning: 'How DHCP is answered.' },
  'dhcp.untrustedOption82': {
    meaning:
      'Without access.trustOption82: refuse drops messages with option 82, replace takes the line for it.',
  },
  'dhcp.relays': {
    meaning: 'Relay agents (giaddr) that are heard, and no others.',
    otherwise: 'every giaddr, with access.trustOption82',
  },
  'dhcp.relays[].host': { meaning: 'The giaddr of the relay.' },
  'dhcp.relays[].pools': {
    meaning: 'Pools whose addresses are good on its link.',
    otherwise: 'the pool of the giaddr, or of link selection (RFC 3527)',
  },
  'dhcp.relays[].leasequery': { meaning: 'It may ask who holds an address (RFC 4388).' },
  'dhcp.services': { meaning: 'More DHCP options by service id, before those of the pool.' },
  'dhcp.services.*': { meaning: 'Options of this service.' },
  'dhcp.probe': {
    meaning:
      'Ask by ARP whether somebody has an address before it is offered for the first time or after a DECLINE.',
  },
  'dhcp.probeWait': { meaning: 'How long an answer to that is waited for.' },
  'dhcp.forceRenew': {
    meaning: 'A client that offers a nonce (RFC 6704) is told to renew when its service changes.',
  },
  lines: { meaning: 'Who may be on an access line, and who is still there (docs/lines.md).' },
  'lines.sessions': {
    meaning:
      'Sessions on one interface and its tags: 1 where each subscriber has a VLAN of its own, many where one is shared.',
    otherwise: 'as many as come',
  },
  'lines.macs': {
    meaning:
      'Stations on one line, as the access node names it, else on one interface and its tags: those with a lease and those heard in the last 5 minutes.',
    otherwise: 'as many as come',
  },
  'lines.newMac': {
    meaning:
      'A new MAC asks where a line has room for one: probe lets it in when the MAC before it no longer answers, replace at once, refuse never.',
  },
  'lines.movedMac': {
    meaning:
      'A MAC gets a lease and has one on another line: keep leaves both, probe ends the other when nobody answers there.',
  },
  'lines.static': {
    meaning:
      'Fixed addresses in these networks are used without DHCP: by whom AAA gives one (Framed-IP-Address, auth.records[].address). Excluded in their pool.',
  },
  'lines.tries': { meaning: 'How often a station is asked by ARP before it counts as gone.' },
  'lines.wait': { meaning: 'How long each answer to that is waited for.' },
  'lines.liveness': { meaning: 'Looks whether stations with a lease are still there.' },
  'lines.liveness.action': {
    meaning: 'What a station means that no longer answers: report tells of it, close ends its session.',
  },
  'lines.liveness.interval': { meaning: 'How often; who has sent something in that time is not asked.' },
  'lines.liveness.perSecond': { meaning: 'Questions over all lines.' },
  auth: { meaning: 'Who a subscriber is, and what it gets.' },
  'auth.mode': { meaning: 'From the records below, or from the servers of the radius section.' },
  'auth.defaultPool': {
    meaning: 'For every ONT without a record, and for an Access-Accept without Framed-Pool.',
  },
  'auth.records': { meaning: 'For mode local: what single ONTs get.' },
  'auth.records[].ontSerial': { meaning: 'One of digits alone needs quotes.' },
  'auth.records[].pool': { meaning: 'The pool of this ONT.' },
  'auth.records[].address': {
    meaning: 'The one address of this ONT, in place of one that the pool gives.',
    otherwise: 'one of the pool',
  },
  'auth.records[].mac': {
    meaning: 'The one station that may use an address of lines.static.',
    otherwise: 'the first that is sighted',
  },
  'auth.records[].serviceId': { meaning: 'Shown with the session.', otherwise: 'the name of the pool' },
  'auth.records[].downloadBps': { meaning: 'Rate towards the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'auth.records[].uploadBps': { meaning: 'Rate from the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'auth.userName': {
    meaning: 'For mode radius: the User-Name of a line; a template looks like "{remote-id}@isp".',
  },
  'auth.onReject': { meaning: 'For mode radius: what becomes of a line after an Access-Reject.' },
  'auth.onTimeout': { meaning: 'For mode radius: what becomes of a line while no server answers.' },
  radius: { meaning: 'For auth.mode radius and accounting.mode radius.' },
  'radius.servers': { meaning: 'In order: the next is asked when one does not answer.' },
  'radius.servers[].host': { meaning: 'Address or name.' },
  'radius.servers[].authPort': { meaning: 'UDP port for authentication.' },
  'radius.servers[].acctPort': { meaning: 'UDP port for accounting.' },
  'radius.servers[].secretFile': { meaning: 'The shared secret; readable by its owner only.' },
  'radius.servers[].requireMessageAuthenticator': {
    meaning: 'false believes answers that can be forged (CVE-2024-3596).',
  },
  'radius.nasIdentifier': { meaning: 'The name of this BNG in every request.' },
  'radius.nasIpAddress': {
    meaning: 'The address of this BNG in every request.',
    otherwise: 'the address from which the first server is reached',
  },
  'radius.timers': { meaning: 'When to ask again, and whom (RFC 5080 §2.2.1).' },
  'radius.timers.initialRetransmit': { meaning: 'Until the second transmission.' },
  'radius.timers.maxRetransmit': { meaning: 'The longest wait between two transmissions.' },
  'radius.timers.tries': { meaning: 'Transmissions to one server, the first included.' },
  'radius.timers.deadline': { meaning: 'After this a request is given up.' },
  'radius.timers.failoverAfter': { meaning: 'Transmissions to one server before the next is tried.' },
  'radius.timers.deadTime': { meaning: 'How long a server that did not answer is left alone.' },
  'radius.maxSockets': { meaning: 'Source ports to one server, each for 256 requests at a time.' },
  'radius.maxQueued': { meaning: 'Requests that wait for a free one.' },
  'radius.interimInterval': {
    meaning: 'Between Interim-Updates, unless Acct-Interim-Interval says otherwise.',
  },
  'radius.filters': {
    meaning: 'What Filter-Id can name, in Access-Accept and CoA-Request: a mapping by that name.',
  },
  'radius.filters.*': { meaning: 'One profile.' },
  'radius.filters.*.pool': { meaning: 'Without it the subscriber stays where it is.', otherwise: 'as it is' },
  'radius.filters.*.serviceId': { meaning: 'Shown with the session.', otherwise: 'the name of the filter' },
  'radius.filters.*.downloadBps': { meaning: 'Rate towards the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'radius.filters.*.uploadBps': { meaning: 'Rate from the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'radius.coa': { meaning: 'CoA and Disconnect (RFC 5176). Without this section nobody may order.' },
  'radius.coa.listen': { meaning: 'UDP address and port; beyond the loopback for a server elsewhere.' },
  'radius.coa.clients': { meaning: 'Who may order.' },
  'radius.coa.clients[].host': { meaning: 'An address and no name: no name server decides who may order.' },
  'radius.coa.clients[].secretFile': { meaning: 'The shared secret; readable by its owner only.' },
  'radius.coa.clients[].allow': { meaning: 'What this client may order.' },
  'radius.coa.requireMessageAuthenticator': { meaning: 'false takes requests without one.' },
  'radius.coa.requireEventTimestamp': {
    meaning: 'Without one a request cannot be told from its replay: NAK, Missing-Attribute.',
  },
  'radius.coa.replayWindow': { meaning: 'How far Event-Timestamp may be from the clock of the BNG.' },
  accounting: { meaning: 'Where accounting records go.' },
  'accounting.mode': {
    meaning: 'radius needs a durable store; log writes JSON lines.',
    otherwise: 'radius with auth.mode radius, else log',
  },
  'accounting.queueLimit': {
    meaning: 'Above it the Interim-Updates of one session that wait are merged.',
    unit: 'records',
  },
  walledGarden: { meaning: 'Where subscribers are before activation and while suspended.' },
  'walledGarden.pool': { meaning: 'One of the pools.' },
  'walledGarden.portal': {
    meaning: 'Where the portal listens; no other address than the gateway of the pool is possible.',
    otherwise: 'port 80 of the gateway',
  },
  'walledGarden.allow': {
    meaning: 'What garden members reach beside portal and DNS: prefix or prefix:port.',
  },
  'walledGarden.dns': {
    meaning:
      'A DNS of the garden at the portal’s address, which leases of its pool name in the place of dns: names that are not allowed lead to the portal.',
  },
  'walledGarden.dns.names': {
    meaning: 'What garden members reach by name: name, *.name or either with :port.',
  },
  'walledGarden.dns.upstream': { meaning: 'Resolvers that are asked for allowed names, as ip:port.' },
  portal: { meaning: 'What the portal says; where it listens is walledGarden.portal.' },
  'portal.provider': { meaning: 'Name at the head of each page.' },
  'portal.contact': { meaning: 'How to reach the provider, on each page.' },
  'portal.contact.en': { meaning: 'In English.' },
  'portal.contact.de': { meaning: 'In German.' },
  'portal.offers': { meaning: 'What a subscriber may activate without help; none: the page says to wait.' },
  'portal.offers[].serviceId': { meaning: 'Each once.' },
  'portal.offers[].pool': { meaning: 'One of the pools, but not the garden’s.' },
  'portal.offers[].downloadBps': { meaning: 'Towards the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'portal.offers[].uploadBps': { meaning: 'From the subscriber; 0 is unlimited.', unit: 'bit/s' },
  'portal.offers[].name': { meaning: 'As the page calls it.' },
  'portal.offers[].name.en': { meaning: 'In English.' },
  'portal.offers[].name.de': { meaning: 'In German.' },
  'portal.offers[].description': { meaning: 'A sentence below the name.' },
  'portal.offers[].description.en': { meaning: 'In English.' },
  'portal.offers[].description.de': { meaning: 'In German.' },
  'portal.templates': {
    meaning: 'Folder with page.html, offer.html, style.css or texts.json in the place of the built-in ones.',
  },
  'portal.captiveApi': {
    meaning: 'Option 114 of the garden’s leases; phones want https (RFC 8908).',
    otherwise: 'the portal’s own http address',
  },
  'portal.tls': {
    meaning:
      'Serves the captive portal API by TLS on the portal’s own port, for which portal.captiveApi is https://NAME:80/captive-portal/api.',
  },
  'portal.tls.certFile': { meaning: 'Certificate chain of that name, PEM; phones must trust it.' },
  'portal.tls.keyFile': { meaning: 'Private key, PEM; readable by its owner only.' },
  olt: { meaning: 'An access node that can be reconfigured.' },
  'olt.socket': { meaning: 'The unix socket on which the access node listens.' },
  'olt.timeout': {
    meaning: 'How long it may take to answer; an order that wants a line moved is refused after it.',
  },
  'olt.vlans': { meaning: 'S-VLAN by the name of the pool whose subscribers it carries.' },
  'olt.vlans.*': { meaning: 'S-VLAN of this pool.' },
  api: { meaning: 'The HTTP API for operators.' },
  'api.listen': { meaning: 'Beyond the loopback only with tls, or with insecure.' },
  'api.tokenFile': { meaning: 'The bearer token; readable by its owner only.' },
  'api.socket': { meaning: 'Unix socket for root, who needs no token there.' },
  'api.tls': { meaning: 'Serves HTTPS instead of HTTP.' },
  'api.tls.certFile': { meaning: 'Certificate chain, PEM.' },
  'api.tls.keyFile': { meaning: 'Private key, PEM; readable by its owner only.' },
  'api.insecure': {
    meaning: 'true allows plain HTTP beyond the loopback: the token can be read on the way.',
  },
  metrics: { meaning: 'For Prometheus.' },
  'metrics.listen': { meaning: 'Where /metrics is; there is no token.' },
  'metrics.topTalkers': { meaning: 'How many subscribers /metrics names by their traffic.' },
  'metrics.subscribers': { meaning: 'Serve /metrics/subscribers: some series for each subscriber.' },
  store: { meaning: 'What outlives the process.' },
  'store.mode': { meaning: 'memory keeps nothing: sessions and accounting end with the process.' },
  'store.path': { meaning: 'A folder of the BNG alone.' },
  audit: { meaning: 'One line for each action of an operator or of an AAA server.' },
  'audit.to': { meaning: 'stdout is beside the log; or the absolute path of a file of its own.' },
  log: { meaning: 'JSON lines on standard output; docs/logs.md lists the events.' },
  'log.level': { meaning: 'The least that is written.' },
  dataplane: { meaning: 'What goes on without the process; `bng run --teardown` removes it.' },
  'dataplane.pinPath': { meaning: 'Folder in bpffs for programs and maps; one for each BNG on a machine.' },
  qos: { meaning: 'Rate limits.' },
  'qos.burstMs': {
    meaning: 'A policer lets pass at once what its rate carries in this time.',
    unit: 'milliseconds',
  },
};
