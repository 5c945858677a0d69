/** What is in rows of the store, as the BNG writes it. */

export const STORED_PROFILE = {
  serviceId: 's',
  poolName: 'isp',
  walled: false,
  downloadBitsPerSecond: 1,
  uploadBitsPerSecond: 0,
};

/** An accounting record with all that every record has. */
export const STOP_RECORD = {
  'Acct-Status-Type': 'Stop',
  'Acct-Session-Id': 'a',
  'Acct-Multi-Session-Id': 'b',
  'Event-Timestamp': 1_767_225_600,
  'User-Name': 'ONT1',
  'Framed-IP-Address': '10.0.0.5',
  'Calling-Station-Id': '02-00-00-00-00-01',
  'NAS-Port-Id': 'access0:100.7',
  'Framed-Pool': 'isp',
  'Bng-Service-Id': 's',
  'Bng-Subscriber-Id': 'ont:ONT1',
  Class: ['0x01'],
  'Acct-Session-Time': 5,
  'Acct-Input-Octets': '5000000000',
  'Acct-Output-Octets': '0',
  'Acct-Input-Packets': '1',
  'Acct-Output-Packets': '2',
  'Acct-Terminate-Cause': 'User-Request',
};
