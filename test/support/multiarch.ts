/** Where Debian keeps what belongs to one kind of machine. */

const MACHINES: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  riscv64: 'riscv64-linux-gnu',
};

/** This machine's name in /usr/lib and /usr/include; of a machine unknown here there is no such folder. */
export const multiarch = MACHINES[process.arch] ?? `${process.arch}-linux-gnu`;
