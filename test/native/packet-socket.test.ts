/** NativePacketSocket over a cable: frames leave and arrive as on the wire, tags included. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, before, describe, test } from 'node:test';
import type { NativePacketSocket, PacketSocketOptions } from '../../src/dataplane/native-binding.js';
import { failure, inNamespace, makeVeth, native, skip, until } from './support.js';

const ADDRESSES = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const EXPERIMENTAL = [0x88, 0xb5];

function frame(tags: readonly number[], number: number, length = 46): Uint8Array {
  const payload = new Uint8Array(length);
  new DataView(payload.buffer).setUint32(0, number);
  return Uint8Array.of(...ADDRESSES, ...tags, ...EXPERIMENTAL, ...payload);
}

if (inNamespace(import.meta.url)) {
  describe('NativePacketSocket', { skip }, () => {
    let near = 0;
    let far = 0;
    const sockets: NativePacketSocket[] = [];
    const open = (options: PacketSocketOptions): NativePacketSocket => {
      const socket = native.openPacketSocket(options);
      sockets.push(socket);
      return socket;
    };
    before(() => {
      ({ near, far } = makeVeth('nat-near', 'nat-far'));
    });
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.close();
    });

    const tagged: readonly [string, readonly number[]][] = [
      ['without tags', []],
      ['with an 802.1Q tag', [0x81, 0x00, 0x20, 0x64]],
      ['with a tag of VLAN 0', [0x81, 0x00, 0x00, 0x00]],
      ['with an 802.1ad tag', [0x88, 0xa8, 0x6f, 0xff]],
      ['with an S- and a C-VLAN tag', [0x88, 0xa8, 0x00, 0x64, 0x81, 0x00, 0x00, 0xc8]],
    ];
    for (const [what, tags] of tagged) {
      test(`a frame ${what} arrives as it was sent`, async () => {
        const seen: Uint8Array[] = [];
        open({ ifindex: far, onFrame: (bytes) => seen.push(bytes) });
        const sender = open({ ifindex: near });
        for (const length of [46, 200, 1496 - tags.length])
          assert.equal(sender.send(frame(tags, 1, length)), true);
        await until('three frames', () => seen.length === 3);
        for (const [index, length] of [46, 200, 1496 - tags.length].entries()) {
          assert.deepEqual(Buffer.from(seen[index]!), Buffer.from(frame(tags, 1, length)));
        }
      });
    }

    test('many frames arrive in order, each in memory of its own', async () => {
      const seen: Uint8Array[] = [];
      open({ ifindex: far, onFrame: (bytes) => seen.push(bytes) });
      const sender = open({ ifindex: near });
      for (let round = 0; round < 10; round += 1) {
        for (let index = 0; index < 100; index += 1) sender.send(frame([], round * 100 + index));
        await until('a round', () => seen.length === (round + 1) * 100);
      }
      const numbers = seen.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(14));
      assert.deepEqual(
        numbers,
        Array.from({ length: 1_000 }, (_, index) => index),
      );
    });

    test('a socket does not hear what its own interface sends', async () => {
      const heard: Uint8Array[] = [];
      const arrived: Uint8Array[] = [];
      const sender = open({ ifindex: near, onFrame: (bytes) => heard.push(bytes) });
      const other = open({ ifindex: far, onFrame: (bytes) => arrived.push(bytes) });
      sender.send(frame([], 1));
      await until('the frame', () => arrived.length === 1);
      other.send(frame([], 2));
      await until('the answer', () => heard.length === 1);
      assert.equal(new DataView(heard[0]!.buffer).getUint32(14), 2);
    });

    test('a socket that only sends has nothing queued', async () => {
      const arrived: Uint8Array[] = [];
      open({ ifindex: near });
      open({ ifindex: near, onFrame: (bytes) => arrived.push(bytes) });
      open({ ifindex: far }).send(frame([], 1));
      await until('the frame', () => arrived.length === 1);
      // Columns of /proc/net/packet: sk RefCnt Type Proto Iface R Rmem User Inode.
      const lines = readFileSync('/proc/self/net/packet', 'utf8').trim().split('\n').slice(1);
      const senders = lines
        .map((line) => line.trim().split(/\s+/))
        .filter((columns) => columns[3] === '0000');
      assert.equal(senders.length, 2);
      for (const columns of senders)
        assert.deepEqual([columns[5], columns[6]], ['0', '0'], columns.join(' '));
    });

    test("send answers false when the device's queue is full", () => {
      const sender = open({ ifindex: near });
      execFileSync('tc', 'qdisc add dev nat-near root tbf rate 8kbit burst 1600 limit 3000'.split(' '));
      const answers = Array.from({ length: 100 }, () => sender.send(frame([], 1, 1_000)));
      execFileSync('tc', 'qdisc del dev nat-near root'.split(' '));
      assert.equal(answers[0], true);
      assert.equal(answers.at(-1), false);
    });

    test('a socket goes on hearing after its interface was down', async () => {
      const seen: Uint8Array[] = [];
      open({ ifindex: far, onFrame: (bytes) => seen.push(bytes) });
      const sender = open({ ifindex: near });
      execFileSync('ip', ['link', 'set', 'nat-far', 'down']);
      await new Promise((resolve) => setImmediate(resolve));
      execFileSync('ip', ['link', 'set', 'nat-near', 'down']);
      assert.throws(() => sender.send(frame([], 1)), failure('packetSocket.send', 'ENETDOWN'));
      for (const name of ['nat-near', 'nat-far']) execFileSync('ip', ['link', 'set', name, 'up']);
      await until('a frame', () => {
        sender.send(frame([], 2));
        return seen.length > 0;
      });
    });

    test('onFrame may close the socket and is not called again', async () => {
      let calls = 0;
      const socket = open({
        ifindex: far,
        onFrame: () => {
          calls += 1;
          socket.close();
        },
      });
      const arrived: Uint8Array[] = [];
      open({ ifindex: far, onFrame: (bytes) => arrived.push(bytes) });
      const sender = open({ ifindex: near });
      for (let index = 0; index < 10; index += 1) sender.send(frame([], index));
      await until('all frames elsewhere', () => arrived.length === 10 && calls > 0);
      assert.equal(calls, 1);
    });

    test('misuse is refused', () => {
      const refused = (options: unknown, code: string): void =>
        assert.throws(
          () => native.openPacketSocket(options as PacketSocketOptions),
          failure('packetSocket.open', code),
        );
      for (const bad of [undefined, null, 1, {}]) refused(bad, 'EINVAL');
      for (const bad of [0, -1, Number.NaN, 2 ** 31, '1']) refused({ ifindex: bad }, 'EINVAL');
      for (const bad of [null, {}, 'f']) refused({ ifindex: near, onFrame: bad }, 'EINVAL');
      refused({ ifindex: 2 ** 31 - 1 }, 'ENODEV');
      refused({ ifindex: 2 ** 31 - 1, onFrame: () => undefined }, 'ENODEV');

      const socket = open({ ifindex: near });
      for (const bad of [undefined, null, 'x', [1], new Uint16Array(40)] as never[]) {
        assert.throws(() => socket.send(bad), failure('packetSocket.send', 'EINVAL'));
      }
      assert.throws(() => socket.send(new Uint8Array(0)), failure('packetSocket.send', 'EINVAL'));
      assert.throws(() => socket.send(new Uint8Array(13)), failure('packetSocket.send', 'EINVAL'));
      assert.throws(
        () => socket.send(new Uint8Array(5_000)),
        failure('packetSocket.send', 'EMSGSIZE', /\[length:5000\]/),
      );
      socket.close();
      socket.close();
      assert.throws(() => socket.send(frame([], 1)), failure('packetSocket.send', 'EBADF'));
    });
  });
}
