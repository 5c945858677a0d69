/** What the example file shows: an ISP with a garden and two pools. Settings that are not here show their default. */

/** Switched on in the example. */
export const SHOWN: Readonly<Record<string, unknown>> = {
  access: { interface: 'access0', trustOption82: true },
  core: { interface: 'core0' },
  pools: [
    {
      name: 'wgar',
      network: '10.255.0.0/16',
      gateway: '10.255.0.1',
      dns: ['8.8.8.8', '8.8.4.4'],
      leaseTime: '600s',
      exclude: ['10.255.0.2-10.255.0.10'],
    },
    {
      name: 'isp-residential',
      network: '10.0.0.0/12',
      gateway: '10.0.0.1',
      dns: ['1.1.1.1', '1.0.0.1'],
      exclude: ['10.0.0.2-10.0.0.10', '10.0.0.53'],
    },
    {
      name: 'isp-business',
      network: '10.16.0.0/12',
      gateway: '10.16.0.1',
      dns: ['1.1.1.1', '1.0.0.1'],
      leaseTime: '7d',
    },
  ],
  auth: {
    mode: 'local',
    defaultPool: 'wgar',
    records: [
      {
        ontSerial: 'ALCL00000001',
        pool: 'isp-business',
        serviceId: 'business-1000',
        downloadBps: 1_000_000_000,
        uploadBps: 500_000_000,
      },
    ],
  },
  walledGarden: { pool: 'wgar', allow: ['203.0.113.10/32', '203.0.113.0/24:443'] },
  olt: { vlans: { wgar: 100, 'isp-residential': 200, 'isp-business': 300 } },
};

/** Switched off in the example, and without a default to show. */
export const HIDDEN: Readonly<Record<string, unknown>> = {
  // Of its items.
  pools: { renewTime: '5m', rebindTime: '525s' },
  poolGroups: { residential: ['isp-residential', 'isp-business'] },
  dhcp: {
    relays: [{ host: '10.255.0.2', pools: ['wgar', 'isp-residential'], leasequery: true }],
    services: { 'business-1000': ['42 addresses 192.0.2.123', '121 routes 192.0.2.0/24 via 10.16.0.1'] },
  },
  lines: { sessions: 1, macs: 1 },
  radius: {
    servers: [{ host: '127.0.0.1', secretFile: '/etc/bng/radius.secret' }],
    nasIdentifier: 'bng-1',
    nasIpAddress: '192.0.2.1',
    filters: {
      'home-100': {
        pool: 'isp-residential',
        serviceId: 'home-100',
        downloadBps: 100_000_000,
        uploadBps: 20_000_000,
      },
      slow: { downloadBps: 1_000_000, uploadBps: 1_000_000 },
    },
    coa: { clients: [{ host: '127.0.0.1', secretFile: '/etc/bng/radius.secret' }] },
  },
  accounting: { mode: 'log' },
  walledGarden: {
    portal: '10.255.0.1:80',
    dns: { names: ['pay.example.com:443', '*.help.example.net'], upstream: ['192.0.2.53:53'] },
  },
  portal: {
    contact: { en: 'Call 0800 123456.', de: 'Rufen Sie 0800 123456 an.' },
    offers: [
      {
        serviceId: 'home-100',
        pool: 'isp-residential',
        downloadBps: 100_000_000,
        uploadBps: 20_000_000,
        name: { en: 'Home 100', de: 'Zuhause 100' },
        description: { en: 'For the whole family.', de: 'Für die ganze Familie.' },
      },
    ],
    templates: '/etc/bng/portal',
    captiveApi: 'https://portal.example.net:80/captive-portal/api',
    tls: { certFile: '/etc/bng/portal.crt', keyFile: '/etc/bng/portal.key' },
  },
  api: { tls: { certFile: '/etc/bng/api.crt', keyFile: '/etc/bng/api.key' } },
};
