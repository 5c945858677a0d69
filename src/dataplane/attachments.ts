/**
 * Programs on their interfaces. With pins, a program that an earlier process attached is replaced in place, so that no frame meets
 * an interface without one, and what is attached outlives this process; without, everything goes with the object.
 */
import type { NativeBinding, NativeLink, NativeObject, XdpMode } from './native-binding.js';
import { linkName, movePin, type PinFolder, removePin } from './pins.js';

export interface AttachmentsOptions {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
  /** Null: nothing is pinned. */
  readonly pins: { readonly folder: PinFolder; readonly others: readonly PinFolder[] } | null;
  readonly warn: (warning: string) => void;
}

export interface XdpPlace {
  readonly program: string;
  readonly port: { readonly name: string; readonly ifindex: number };
  readonly mode: XdpMode;
}

export class Attachments {
  readonly #options: AttachmentsOptions;
  readonly #used = new Set<string>();

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  /** Throws `NativeFailure` when the interface does not take the program. */
  xdp(place: XdpPlace): void {
    const { object, pins } = this.#options;
    const name = linkName(place.program, place.port.name);
    this.#used.add(name);
    if (pins === null) {
      object.program(place.program).attachXdp(place.port.ifindex, place.mode);
      return;
    }
    const path = pins.folder.linkFile(name);
    for (const folder of [pins.folder, ...pins.others]) {
      const found = folder.linkFile(name);
      if (!this.#replace(found, place)) continue;
      if (found !== path) movePin(found, path);
      return;
    }
    const link = object.program(place.program).attachXdp(place.port.ifindex, place.mode);
    link.pin(path);
    link.close();
  }

  /** A filter has one place, where the next process puts its own; nothing needs to be pinned. */
  egress(program: string, port: XdpPlace['port']): void {
    const link = this.#options.object.program(program).attachTc(port.ifindex, 'egress');
    if (this.#options.pins !== null) link.leave();
  }

  /** Detaches what earlier processes attached and this one does not want, and says so. */
  retire(): void {
    const { pins, warn } = this.#options;
    if (pins === null) return;
    for (const folder of [pins.folder, ...pins.others]) {
      for (const name of folder.links()) {
        if (folder === pins.folder && this.#used.has(name)) continue;
        warn(`${name} is not configured any more: detached`);
        this.#drop(folder.linkFile(name));
      }
    }
  }

  /** False when there is no such pin, or none of use any more; it is gone then. */
  #replace(path: string, { program, port, mode }: XdpPlace): boolean {
    const { binding, object, warn } = this.#options;
    const link = this.#open(path);
    if (link === null) return false;
    const { ifindex } = link.info();
    const running = ifindex === 0 ? null : binding.xdpOf(port.ifindex);
    if (ifindex === port.ifindex && running?.mode === mode) {
      link.replace(object.program(program));
      link.close();
      return true;
    }
    const found =
      ifindex === 0 ? 'its interface is gone' : `it was attached in ${running?.mode ?? 'no'} mode`;
    warn(`${program} on ${port.name} is attached anew in ${mode} mode: ${found}`);
    link.detach();
    removePin(path);
    return false;
  }

  #drop(path: string): void {
    this.#open(path)?.detach();
    removePin(path);
  }

  #open(path: string): NativeLink | null {
    try {
      return this.#options.binding.openPinnedLink(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      this.#options.warn(`pin removed, it holds no link: ${String(error)}`);
      removePin(path);
      return null;
    }
  }
}
