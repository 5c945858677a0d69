/** How the systems that subscribers use find out whether they are online. */

/** Host and path as the systems ask for them. */
export const CHECKS = [
  ['Android', 'connectivitycheck.gstatic.com', '/generate_204'],
  ['Android, second', 'www.google.com', '/gen_204'],
  ['Apple', 'captive.apple.com', '/hotspot-detect.html'],
  ['Windows', 'www.msftconnecttest.com', '/connecttest.txt'],
  ['Windows, browser', 'www.msftconnecttest.com', '/redirect'],
  ['Windows before 10', 'www.msftncsi.com', '/ncsi.txt'],
  ['Firefox', 'detectportal.firefox.com', '/canonical.html'],
  ['Firefox, text', 'detectportal.firefox.com', '/success.txt?ipv4'],
  ['NetworkManager', 'nmcheck.gnome.org', '/check_network_status.txt'],
  ['NetworkManager, Debian', 'network-test.debian.org', '/nm'],
  ['NetworkManager, Ubuntu', 'connectivity-check.ubuntu.com', '/'],
] as const;
