/** Configured options as bytes, each encoded once. Knows no option's meaning. */
import type { LeaseOption } from '../model/lease.js';
import { ByteWriter } from '../wire/byte-writer.js';
import { encodeClasslessRoutes } from '../wire/classless-routes.js';

const BYTES_OF = { u8: 1, u16: 2, u32: 4 } as const;

const encoded = new WeakMap<LeaseOption, Uint8Array>();

/** The value of the option; the same bytes for the same option, which nobody may write to. */
export function leaseOptionBytes(option: LeaseOption): Uint8Array {
  let bytes = encoded.get(option);
  if (bytes === undefined) {
    bytes = encode(option);
    encoded.set(option, bytes);
  }
  return bytes;
}

function encode(option: LeaseOption): Uint8Array {
  switch (option.type) {
    case 'text':
      return new Uint8Array(Buffer.from(option.value, 'latin1'));
    case 'hex':
      return new Uint8Array(Buffer.from(option.value, 'hex'));
    case 'routes':
      return encodeClasslessRoutes(option.value);
    case 'addresses': {
      const bytes = new Uint8Array(4 * option.value.length);
      const writer = new ByteWriter(bytes);
      for (const address of option.value) writer.ipv4(address);
      return bytes;
    }
    case 'u8':
    case 'u16':
    case 'u32': {
      const whole = new Uint8Array(4);
      new ByteWriter(whole).u32(option.value);
      return whole.slice(4 - BYTES_OF[option.type]);
    }
  }
}
