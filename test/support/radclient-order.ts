/** What radclient is given on its stdin. */

let orders = 0;

/**
 * The order's attributes, dated and signed unless they say so themselves. No two orders are the same bytes: of the same words within a
 * second, one in 256 would bear the same number too, and be taken for a replay from another port (RFC 5176 §6.3).
 */
export function radclientOrder(attributes: readonly string[]): string {
  orders += 1;
  const defaults = {
    'Message-Authenticator': '0x00',
    'Event-Timestamp': String(Math.floor(Date.now() / 1000)),
    'Proxy-State': `0x${orders.toString(16).padStart(8, '0')}`,
  };
  const missing = Object.entries(defaults).filter(
    ([name]) => !attributes.some((line) => line.startsWith(name)),
  );
  return [...missing.map(([name, value]) => `${name} = ${value}`), ...attributes, ''].join('\n');
}
