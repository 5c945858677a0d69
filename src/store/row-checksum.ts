/** The checksum of one row: SQLite notices broken pages, not a changed byte inside a value. */
import { crc32 } from 'node:zlib';
import type { StoreValue } from './port.js';

export function rowChecksum(table: string, key: string, schemaVersion: number, value: StoreValue): number {
  // Text and bytes that look alike are different values.
  const type = typeof value === 'string' ? 't' : 'b';
  return crc32(value, crc32(`${table}\0${key}\0${schemaVersion}${type}`));
}
