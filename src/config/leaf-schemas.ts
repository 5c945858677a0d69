/**
 * Schemas of single values: text or number in the file, model value in the Config. The error text of each says what
 * was expected; nothing here looks at a second value.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { isBngError } from '../model/bng-error.js';
import { parseIpv4, parsePrefix } from '../model/ipv4.js';
import { parseMac } from '../model/mac.js';
import { LEASE_OPTION, LEASE_OPTION_PATTERN, readLeaseOption } from './lease-option.js';
import type { AddressRange, AllowedDestination, AllowedName, Endpoint } from './config.js';

const MILLISECONDS_OF: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** Option 51 is 32 bits wide and its highest value means "for ever" (RFC 2131 §3.3). */
const LONGEST_DURATION_SECONDS = 0xfffffffe;

/**
 * A text that `read` turns into a value; null from `read`, or a text it refuses, is not what was expected. `pattern` is
 * for the published schema: it matches every text that `read` takes, and as few others as it can.
 */
function textOf<T>(expected: string, pattern: RegExp, read: (text: string) => T | null) {
  const published = { title: expected, pattern: pattern.source };
  return z
    .string({ error: expected })
    .meta(published)
    .transform((text, context): T => {
      const value = orNull(() => read(text));
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    });
}

function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (isBngError(error, 'BNG_ERR_VALUE')) return null;
    throw error;
  }
}

function matching(expected: string, pattern: RegExp) {
  return textOf(expected, pattern, (text) => (pattern.test(text) ? text : null));
}

function readPort(text: string, lowest: number): number | null {
  const port = /^(0|[1-9][0-9]{0,4})$/.test(text) ? Number(text) : -1;
  return port >= lowest && port <= 65535 ? port : null;
}

function readEndpoint(text: string, lowestPort: number): Endpoint | null {
  const [address = '', portText = '', ...more] = text.split(':');
  const port = readPort(portText, lowestPort);
  return port === null || more.length > 0 ? null : { address: parseIpv4(address), port };
}

function readRange(text: string): AddressRange | null {
  const [firstText = '', lastText = firstText, ...more] = text.split('-').map((part) => part.trim());
  const [first, last] = [parseIpv4(firstText), parseIpv4(lastText)];
  return more.length > 0 || first > last ? null : { first, last };
}

function readDestination(text: string): AllowedDestination | null {
  const [prefixText = '', portText, ...more] = text.split(':');
  if (more.length > 0) return null;
  const prefix = parsePrefix(prefixText);
  if (portText === undefined) return { prefix, port: null };
  const port = readPort(portText, 1);
  return port === null ? null : { prefix, port };
}

function readAllowedName(text: string): AllowedName | null {
  const [, wildcard, host = '', portText] = /^(\*\.)?([^:*]+?)\.?(?::([0-9]+))?$/.exec(text) ?? [];
  const port = portText === undefined ? null : readPort(portText, 1);
  const name = host.toLowerCase();
  const isHost = name.length <= 253 && whole(HOST).test(name);
  if (!isHost || (portText !== undefined && port === null)) return null;
  return { name, below: wildcard !== undefined, port };
}

function readDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^([1-9][0-9]*)([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS_OF[unit] ?? 0);
  return seconds > 0 && seconds <= LONGEST_DURATION_SECONDS ? seconds : null;
}

/** In milliseconds; a day is the longest that a request or a server may be waited for. */
function readShortDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^([1-9][0-9]*)(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (MILLISECONDS_OF[unit] ?? 0);
  return milliseconds > 0 && milliseconds <= 86_400_000 ? milliseconds : null;
}

const USER_NAME_FIELD = '(ont-serial|circuit-id|remote-id|mac)';
/** One of the fields, or text around at least one of them in braces. */
const USER_NAME = new RegExp(`^(${USER_NAME_FIELD}|[^{}]*(\\{${USER_NAME_FIELD}\\}[^{}]*)+)$`);

/** Parts of the published patterns. */
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `(${OCTET}\\.){3}${OCTET}`;
const PREFIX = `${IPV4}/(3[0-2]|[12]?[0-9])`;
const PORT = '(0|[1-9][0-9]{0,4})';
const LABEL = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const HOST = `${LABEL}(\\.${LABEL})+`;
const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);

export const address = textOf('an IPv4 address such as 192.0.2.1', whole(IPV4), parseIpv4);
export const prefix = textOf(
  'an IPv4 prefix without host bits such as 10.0.0.0/12',
  whole(PREFIX),
  parsePrefix,
);
export const addressRange = textOf(
  'an IPv4 address or a rising range such as 10.0.0.2-10.0.0.10',
  whole(` *${IPV4} *(- *${IPV4} *)?`),
  readRange,
);
export const mac = textOf(
  'a MAC address such as 02:00:00:00:00:01',
  /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/,
  parseMac,
);
export const listenEndpoint = textOf('ip:port such as 127.0.0.1:8080', whole(`${IPV4}:${PORT}`), (text) =>
  readEndpoint(text, 0),
);
export const serviceEndpoint = textOf(
  'ip:port with a port from 1 to 65535',
  whole(`${IPV4}:[1-9][0-9]{0,4}`),
  (text) => readEndpoint(text, 1),
);
export const allowedDestination = textOf(
  'prefix or prefix:port such as 203.0.113.0/24:443',
  whole(`${PREFIX}(:[1-9][0-9]{0,4})?`),
  readDestination,
);
export const allowedName = textOf(
  'a name, *.name or name:port such as pay.example.com:443',
  whole(`(\\*\\.)?${HOST}\\.?(:[1-9][0-9]{0,4})?`),
  readAllowedName,
);
export const shortDuration = textOf(
  'a duration such as 500ms, 2s or 1m',
  whole('[1-9][0-9]*(ms|s|m|h)'),
  readShortDuration,
);
export const duration = textOf(
  'a duration such as 600s, 10m, 24h or 7d',
  whole('[1-9][0-9]*[smhd]'),
  readDuration,
);

export const interfaceName = matching(
  'the name of a network interface (1 to 15 characters)',
  /^(?!\.{1,2}$)[^\s/:]{1,15}$/,
);
/** The dataplane's limit (`BNG_MAX_ACCESS_PORTS`), and ample on the core side. */
const MAX_INTERFACES = 16;

const INTERFACE_COUNT = `1 to ${MAX_INTERFACES} interfaces`;
const interfaceList = z
  .array(interfaceName)
  .min(1, { error: INTERFACE_COUNT })
  .max(MAX_INTERFACES, { error: INTERFACE_COUNT });

/** For the published schema, which cannot see into a transformation. */
const oneOrMoreInterfaces = {
  title: `an interface, or a list of ${INTERFACE_COUNT}`,
  anyOf: z.toJSONSchema(z.union([interfaceName, interfaceList]), { io: 'input' }).anyOf,
};

/** One interface, or a list of them; read as a list. */
export const interfaceNames = z
  .unknown()
  .meta(oneOrMoreInterfaces)
  .transform((value, context): readonly string[] => {
    if (!Array.isArray(value)) {
      const read = interfaceName.safeParse(value);
      if (read.success) return [read.data];
      context.addIssue({ code: 'custom', message: read.error.issues[0]?.message ?? '' });
      return z.NEVER;
    }
    const read = interfaceList.safeParse(value);
    if (read.success) return read.data;
    for (const { path, message } of read.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
export const POOL_LIST = 'a list of pools';
export const POOL_NAME = 'the name of a pool (letters, digits, -, _; at most 63)';
export const poolName = matching(POOL_NAME, /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/);
export const ontSerial = matching(
  'an ONT serial as text of 1 to 64 printable characters (in quotes when it is all digits)',
  /^[\x21-\x7e]{1,64}$/,
);
export const serviceId = matching('a service id of 1 to 64 printable characters', /^[\x20-\x7e]{1,64}$/);
/** Text for people, on one line of a page. */
export const pageText = matching(
  'a text of 1 to 300 characters on one line',
  /^[^\x00-\x1f\x7f-\x9f]{1,300}$/,
);
/** Option 114 carries at most 255 bytes (RFC 8910 §2.1). */
const WEB_ADDRESS = /^https?:\/\/[\x21-\x7e]{1,247}$/;
export const webAddress = textOf(
  'an http:// or https:// address of at most 255 characters',
  WEB_ADDRESS,
  (text) => (WEB_ADDRESS.test(text) && URL.canParse(text) ? text : null),
);
/** RFC 2865 §5.11: text of at most 253 bytes. */
export const FILTER_NAME = 'the name of a filter (1 to 253 printable characters)';
export const filterName = matching(FILTER_NAME, /^[\x21-\x7e]{1,253}$/);
export const userNameFormat = matching(
  'ont-serial, circuit-id, remote-id, mac, or a template with one of them in braces',
  USER_NAME,
);
export const nasIdentifier = matching(
  'a NAS identifier of 1 to 253 printable characters (RFC 2865 §5.32)',
  /^[\x21-\x7e]{1,253}$/,
);
export const absolutePath = matching('an absolute path', /^\/[^\0]*$/);
/** bpffs refuses dots in names. */
export const pinPath = matching('an absolute path below /, without dots', /^(\/[^\0./]+)+$/);
/** A unix socket's path has 108 bytes with its final zero (unix(7)). */
export const socketPath = textOf('an absolute path of at most 107 bytes', /^\//, (text) =>
  text.startsWith('/') && Buffer.byteLength(text) <= 107 && !text.includes('\0') ? text : null,
);
export const auditTarget = matching('stdout, stderr or an absolute path', /^(stdout|stderr|\/[^\0]*)$/);
export const host = textOf('an IPv4 address or a host name', /^[A-Za-z0-9.-]{1,253}$/, (text) =>
  isIPv4(text) || /^(?=.{1,253}$)(?![0-9.]+$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text)
    ? text
    : null,
);

export const leaseOption = textOf(LEASE_OPTION, LEASE_OPTION_PATTERN, readLeaseOption);
/** Each code once: an option given twice would be joined (RFC 3396). */
export const leaseOptions = z
  .array(leaseOption, { error: 'a list of options' })
  .refine((options) => new Set(options.map(({ code }) => code)).size === options.length, {
    error: 'each option once',
  });

export const flag = z.boolean({ error: 'true or false' });

/** A whole number from `lowest` to `highest`; `unit` opens the error text. */
export function integer(lowest: number, highest: number, unit: string) {
  const error = `${unit} from ${lowest} to ${highest}`;
  return z.int({ error }).min(lowest, { error }).max(highest, { error });
}

export const port = integer(1, 65535, 'a port number');
export const vlanId = integer(1, 4094, 'a VLAN id');
/** 0 means unlimited; the upper bound (1 Tbit/s) only catches slips of the keyboard. */
export const bitsPerSecond = integer(0, 1e12, 'a whole number of bits per second');

/** One of a closed set of words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: words.join(' or ') });
}

/** One of a closed set of TPIDs. */
export function tpid<const T extends readonly [number, ...number[]]>(values: T) {
  return z.literal(values, { error: values.map((value) => `0x${value.toString(16)}`).join(' or ') });
}
