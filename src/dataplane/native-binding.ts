/**
 * The face of the C++ addon (`native/`): verbs and bytes. No policy here, and no field of `bpf/bng_abi.h`.
 *
 * Every verb throws `Error & NativeFailure` when the kernel refuses, when a handle is closed, or when an argument has
 * the wrong type or length. Lengths are checked against the map before the kernel sees them. Closing twice is fine.
 * All `Uint8Array` arguments are only read during the call.
 */

/** What the addon's errors carry: `operation` such as `map.update`, `code` such as `ENOENT`, errno as a positive number. */
export interface NativeFailure {
  readonly operation: string;
  readonly code: string;
  readonly errno: number;
}

export type XdpMode = 'native' | 'generic';

export interface NativeBinding {
  /** Opens an ELF object without loading it. */
  openObject(path: string): NativeObject;
  /** Opens a raw packet socket (AF_PACKET) on an interface of the calling thread's network namespace. */
  openPacketSocket(options: PacketSocketOptions): NativePacketSocket;
  /** Makes an array of one entry that holds `value`. Close it; pinned, it goes on. */
  createArray(name: string, value: Uint8Array): NativeMap;
  /** Opens a map pinned in bpffs; throws ENOENT, or EINVAL when something else is pinned there. Close it. */
  openPinnedMap(path: string): NativeMap;
  /** Opens an XDP link pinned in bpffs, which `close()` leaves in place. */
  openPinnedLink(path: string): NativeLink;
  /** What XDP runs on an interface; null for none. */
  xdpOf(ifindex: number): { readonly mode: XdpMode; readonly programId: number } | null;
  /** Ring buffer consumer over a loaded map of type RINGBUF. */
  openRingBuffer(map: NativeMap, options: RingBufferOptions): NativeRingBuffer;
  /** Index of an interface in this network namespace; throws ENODEV. */
  interfaceIndex(name: string): number;
  possibleCpus(): number;
  /** One datagram to a unix socket; a leading `@` names an abstract one. Nothing waits: a full receiver is EAGAIN. */
  sendDatagram(path: string, bytes: Uint8Array): void;
}

export interface MapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

export interface NativeObject {
  /** Raw BTF (.BTF section) of the object; available once open. */
  btf(): Uint8Array;
  mapNames(): string[];
  /** What a map is, or will be once loaded; types are ids in the object's own BTF, 0 = none. */
  mapShape(mapName: string): MapShape;
  programNames(): string[];
  /** The initial bytes of `.rodata`; before load only. */
  rodata(): Uint8Array;
  /** Replaces the bytes of `.rodata`, whole; before load only. */
  setRodata(bytes: Uint8Array): void;
  setMaxEntries(mapName: string, maxEntries: number): void;
  /** Uses another object's loaded map in place of this object's own; before load only. */
  reuseMap(mapName: string, map: NativeMap): void;
  /** Loads into the kernel; a verifier refusal throws with the end of its log in the message. */
  load(): void;
  /** After load. */
  map(name: string): NativeMap;
  program(name: string): NativeProgram;
  /** Closes the object and all maps, programs, links and ring buffers made from it. */
  close(): void;
}

export type MapUpdateMode = 'any' | 'create' | 'replace';

export interface NativeMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  /** Bytes of one value; of one CPU's value for per-CPU maps. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*` of its making. */
  readonly flags: number;
  /** Entries that `readSums` knows; 0 for maps that it does not take. */
  readonly summedEntries: number;
  /** The value, or null when the key is absent. Per-CPU maps give all CPUs' values one after another, each padded to 8 bytes. */
  lookup(key: Uint8Array): Uint8Array | null;
  update(key: Uint8Array, value: Uint8Array, mode?: MapUpdateMode): void;
  /** False when the key was absent. */
  delete(key: Uint8Array): boolean;
  /** Writes `count` entries laid out one after another with one system call where the kernel can. */
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void;
  /** Reads every entry in batches; keys and values laid out one after another. Not for per-CPU maps. */
  readAll(): { readonly keys: Uint8Array; readonly values: Uint8Array; readonly count: number };
  /**
   * For per-CPU arrays whose value is made of u64 words, and for arrays of such values that can be mapped into memory
   * (BPF_F_MMAPABLE) and hold as many equal parts as there are possible CPUs: reads entries `first` to `first + count - 1`,
   * summed over CPUs, `valueSize / 8` words an entry. Of a mapped array without a system call.
   */
  readSums(first: number, count: number): BigUint64Array;
  /** Writes zeros into every CPU's part of such an entry, whatever is counted there meanwhile. */
  clearSums(entry: number): void;
  /**
   * Of an array of u64 words that can be mapped into memory: writes `words` into the entry from its word `first` on, one after the
   * other and each at once, without a system call: a program that reads meanwhile sees no half of a word, and none before
   * those in front of it.
   */
  store(entry: number, first: number, words: Uint8Array): void;
  /** Gives it a name in bpffs, by which it outlives the process; unlinking the file takes that back. Throws EEXIST. */
  pin(path: string): void;
  /** The kernel's number of it: two handles of one map have the same. */
  id(): number;
  /** Which types of the BTF that it was made with key and value are; null when it came without. */
  types(): { readonly keyTypeId: number; readonly valueTypeId: number } | null;
  /** That BTF, raw, as the kernel holds it; throws EPERM without CAP_SYS_ADMIN. */
  btf(): Uint8Array | null;
  close(): void;
}

export interface NativeProgram {
  readonly name: string;
  /** Attaches as a bpf_link that goes away with `close()` or the process, unless it is pinned. */
  attachXdp(ifindex: number, mode: XdpMode): NativeLink;
  /** Attaches to clsact egress or ingress (created when missing); `replace` swaps the program at the same handle. */
  attachTc(ifindex: number, direction: 'ingress' | 'egress'): NativeLink;
  /** BPF_PROG_TEST_RUN. `dataOut` is the frame after the program. */
  testRun(options: TestRunOptions): TestRunResult;
}

export interface TestRunOptions {
  readonly data: Uint8Array;
  /** Default 1. The kernel does not restore a rewritten frame between rounds. */
  readonly repeat?: number;
  /**
   * The interface of the context (`ingress_ifindex` of XDP, `ifindex` of tc), which must exist in this namespace.
   * Default: none.
   */
  readonly ingressIfindex?: number;
  /**
   * Real frames: what the program redirects, transmits (on `ingressIfindex`) or passes, the kernel does; it is called
   * `repeat` times, and `dataOut` is empty. A page is used again as the program left it. Needs Linux 5.18. Default: false.
   */
  readonly liveFrames?: boolean;
}

export interface TestRunResult {
  readonly returnValue: number;
  readonly dataOut: Uint8Array;
  /** Mean nanoseconds of one round, as the kernel reports. */
  readonly durationNs: number;
}

export interface NativeLink {
  /** Swaps the program in place without a gap. */
  replace(program: NativeProgram): void;
  /** Gives an XDP link a name in bpffs, by which it outlives handle and process; tc filters have none (EOPNOTSUPP). */
  pin(path: string): void;
  /** From now on `close()` gives up the handle only: a tc filter, or a pinned link, goes on. */
  leave(): void;
  /** As the kernel has it; `ifindex` is 0 when the interface is gone or the link was detached. */
  info(): { readonly ifindex: number; readonly programId: number };
  /** Takes the program off its interface, pinned or left in place as it may be, and closes the handle. */
  detach(): void;
  /** Detaches, unless it was pinned or left in place. */
  close(): void;
}

export interface RingBufferOptions {
  /** Bytes of the slab that records are copied into; reused for every batch. */
  readonly slabBytes: number;
  /**
   * Called on the event loop with `used` bytes of the slab filled. Records: u32 length (host order), u32 zero, the
   * bytes, padded to 8. The slab's content is only valid during the call.
   */
  readonly onBatch: (slab: Uint8Array, used: number, records: number) => void;
}

export interface NativeRingBuffer {
  close(): void;
}

export interface PacketSocketOptions {
  readonly ifindex: number;
  /** Without it the socket only sends and receives nothing. Frames carry their tags as on the wire. */
  readonly onFrame?: (frame: Uint8Array) => void;
}

export interface NativePacketSocket {
  /** Sends one whole Ethernet frame; false when the device's queue is full (ENOBUFS, EAGAIN). */
  send(frame: Uint8Array): boolean;
  close(): void;
}
