/**
 * Writes src/dataplane/abi.ts from the BTF of build/bpf/abi.bpf.o and the maps of bng.bpf.o; with `--check` it writes nothing and fails when the
 * committed file is stale. Must not import the generated file: it has to run when that is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { extractAbi } from '../src/dataplane/abi-layout.js';
import { extractMaps } from '../src/dataplane/abi-maps.js';
import { writeAbiModule } from '../src/dataplane/abi-writer.js';
import type { BtfTable } from '../src/dataplane/btf.js';
import { readBtf } from '../src/dataplane/btf.js';
import { BngError } from '../src/model/bng-error.js';

const OBJECT = 'build/bpf/abi.bpf.o';
const MAPS_OBJECT = 'build/bpf/bng.bpf.o';
const GENERATED = 'src/dataplane/abi.ts';

/** The bytes of one section of a little-endian ELF64 file. Throws `BNG_ERR_WIRE_MALFORMED` when there is none. */
function elfSection(elf: Buffer, name: string): Buffer {
  const headers = Number(elf.readBigUInt64LE(0x28));
  const headerBytes = elf.readUInt16LE(0x3a);
  const section = (index: number): { readonly nameAt: number; readonly bytes: Buffer } => {
    const at = headers + index * headerBytes;
    const start = Number(elf.readBigUInt64LE(at + 0x18));
    const size = Number(elf.readBigUInt64LE(at + 0x20));
    return { nameAt: elf.readUInt32LE(at), bytes: elf.subarray(start, start + size) };
  };
  const names = section(elf.readUInt16LE(0x3e)).bytes;
  for (let index = 0; index < elf.readUInt16LE(0x3c); index++) {
    const { nameAt, bytes } = section(index);
    if (names.toString('latin1', nameAt, names.indexOf(0, nameAt)) === name) return bytes;
  }
  throw new BngError('BNG_ERR_WIRE_MALFORMED', 'ELF object with the section', {
    section: name,
    offset: headers,
  });
}

function committed(): string | null {
  try {
    return readFileSync(GENERATED, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

const btfOf = (object: string): BtfTable => readBtf(elfSection(readFileSync(object), '.BTF'));

const abi = extractAbi(btfOf(OBJECT), 'bng_abi');
const text = writeAbiModule(abi, extractMaps(btfOf(MAPS_OBJECT), abi.enums));
if (!process.argv.includes('--check')) {
  writeFileSync(GENERATED, text);
} else if (committed() !== text) {
  console.error(`${GENERATED} is stale: build bpf/ and run dist/scripts/generate-abi.js`);
  process.exitCode = 1;
}
