/** NativeLink: XDP and tc attachments over a cable, seen through iproute2 and through the frames they meet. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { NativeLink, NativeObject, NativeProgram } from '../../src/dataplane/native-binding.js';
import { failure, fixture, inNamespace, loadFixture, makeVeth, native, skip, until } from './support.js';

interface XdpState {
  readonly mode: number;
  readonly prog: { readonly name: string };
}

const XDP_MODE_NATIVE = 1;
const XDP_MODE_GENERIC = 2;

function xdpOf(name: string): XdpState | undefined {
  const [link] = JSON.parse(
    execFileSync('ip', ['-j', 'link', 'show', 'dev', name], { encoding: 'utf8' }),
  ) as {
    xdp?: XdpState;
  }[];
  return link?.xdp;
}

function filtersOf(name: string, direction: string): string {
  return execFileSync('tc', ['filter', 'show', 'dev', name, direction], { encoding: 'utf8' });
}

const FRAME = new Uint8Array(64).fill(0xff, 0, 6);
FRAME.set([2, 0, 0, 0, 0, 1, 0x88, 0xb5], 6);

if (inNamespace(import.meta.url)) {
  describe('NativeLink', { skip }, () => {
    let object: NativeObject;
    let near = 0;
    let far = 0;
    before(() => {
      ({ near, far } = makeVeth('nat-near', 'nat-far'));
      object = loadFixture();
    });
    after(() => object.close());

    const counted = (): bigint => object.map('counters').readSums(5, 1)[0] ?? 0n;

    for (const [mode, expected] of [
      ['native', XDP_MODE_NATIVE],
      ['generic', XDP_MODE_GENERIC],
    ] as const) {
      test(`an XDP program attached in ${mode} mode meets frames, is replaced, is detached`, async () => {
        const link = object.program('xdp_count').attachXdp(far, mode);
        const state = xdpOf('nat-far');
        assert.equal(state?.mode, expected);
        const socket = native.openPacketSocket({ ifindex: near });
        const before = counted();
        assert.equal(socket.send(FRAME), true);
        await until('a counted frame', () => counted() === before + 1n);

        let seen = 0;
        const listener = native.openPacketSocket({ ifindex: far, onFrame: () => (seen += 1) });
        link.replace(object.program('xdp_pass'));
        assert.equal(socket.send(FRAME), true);
        await until('a passed frame', () => seen === 1);
        assert.equal(counted(), before + 1n);
        listener.close();
        socket.close();

        link.close();
        link.close();
        assert.equal(xdpOf('nat-far'), undefined);
        assert.throws(() => link.replace(object.program('xdp_pass')), failure('link.replace', 'EBADF'));
      });
    }

    test('an interface takes one XDP link, and no interface takes none', () => {
      const program = object.program('xdp_pass');
      const link = program.attachXdp(far, 'native');
      assert.throws(
        () => program.attachXdp(far, 'native'),
        failure('program.attachXdp', 'EBUSY', /\[mode:native\]/),
      );
      link.close();
      assert.throws(
        () => program.attachXdp(2 ** 31 - 1, 'native'),
        failure('program.attachXdp', 'EINVAL', /ifindex/),
      );
      assert.throws(
        () => program.attachXdp(native.interfaceIndex('lo'), 'native'),
        failure('program.attachXdp', 'EOPNOTSUPP'),
      );
    });

    test('ingressIfindex of a test run is what the program sees', () => {
      const link = object.program('xdp_pass').attachXdp(near, 'native');
      const result = object.program('xdp_ifindex').testRun({ data: FRAME, ingressIfindex: near });
      assert.equal(result.returnValue, near);
      const tc = object.program('tc_ifindex').testRun({ data: FRAME, ingressIfindex: near });
      assert.equal(tc.returnValue, near);
      assert.equal(
        object.program('xdp_ifindex').testRun({ data: FRAME }).returnValue,
        1,
        'lo when none is given',
      );
      link.close();
    });

    for (const direction of ['ingress', 'egress'] as const) {
      test(`a tc program at ${direction} meets frames, is replaced, is detached; clsact stays`, async () => {
        const [sends, hears] = direction === 'egress' ? [near, far] : [far, near];
        let seen = 0;
        const listener = native.openPacketSocket({ ifindex: hears, onFrame: () => (seen += 1) });
        const socket = native.openPacketSocket({ ifindex: sends });
        const link = object.program('tc_drop').attachTc(near, direction);
        assert.match(filtersOf('nat-near', direction), /tc_drop/);
        const sent = socket.send(FRAME);
        // At egress the kernel tells the sender that its frame was dropped.
        assert.equal(sent, direction === 'ingress');

        link.replace(object.program('tc_mark'));
        assert.match(filtersOf('nat-near', direction), /tc_mark/);
        assert.doesNotMatch(filtersOf('nat-near', direction), /tc_drop/);
        socket.send(FRAME);
        const expected = direction === 'egress' ? 1 : 2; // packet sockets hear a frame before tc ingress drops it
        await until('the passed frame', () => seen >= expected);
        assert.equal(seen, expected);

        const second = object.program('tc_drop').attachTc(near, direction);
        link.close();
        assert.match(
          filtersOf('nat-near', direction),
          /tc_drop/,
          'a replaced link leaves its successor alone',
        );
        second.close();
        second.close();
        assert.equal(filtersOf('nat-near', direction), '');
        assert.match(
          execFileSync('tc', ['qdisc', 'show', 'dev', 'nat-near'], { encoding: 'utf8' }),
          /clsact/,
        );
        assert.throws(() => link.replace(object.program('tc_mark')), failure('link.replace', 'EBADF'));
        listener.close();
        socket.close();
      });
    }

    test('programs of the wrong type and impossible arguments are refused', () => {
      const xdp = object.program('xdp_pass');
      const tc = object.program('tc_mark');
      assert.throws(() => tc.attachXdp(far, 'native'), failure('program.attachXdp', 'EINVAL', /XDP program/));
      assert.throws(() => xdp.attachTc(far, 'egress'), failure('program.attachTc', 'EINVAL', /tc program/));
      assert.throws(() => tc.attachTc(2 ** 31 - 1, 'egress'), failure('program.attachTc', 'ENODEV'));
      for (const bad of [0, -1, Number.NaN, 1.5, 2 ** 31, '1', null, undefined] as never[]) {
        assert.throws(() => xdp.attachXdp(bad, 'native'), failure('program.attachXdp', 'EINVAL'));
        assert.throws(() => tc.attachTc(bad, 'egress'), failure('program.attachTc', 'EINVAL'));
      }
      for (const bad of ['', 'drv', 1, null, undefined] as never[]) {
        assert.throws(() => xdp.attachXdp(far, bad), failure('program.attachXdp', 'EINVAL'));
        assert.throws(() => tc.attachTc(far, bad), failure('program.attachTc', 'EINVAL'));
      }
      const link = xdp.attachXdp(far, 'native');
      for (const bad of [null, undefined, {}, link, object] as unknown[]) {
        assert.throws(() => link.replace(bad as NativeProgram), failure('link.replace', 'EINVAL'));
      }
      assert.throws(() => link.replace(tc), failure('link.replace', 'EINVAL'));
      link.close();
    });

    test("closing an object detaches its links; a replaced link belongs to the new program's object", () => {
      const open = (): NativeObject => {
        const made = native.openObject(fixture('fixture'));
        made.load();
        return made;
      };
      const first = open();
      const second = open();
      const xdp: NativeLink = first.program('xdp_pass').attachXdp(far, 'native');
      first.program('tc_mark').attachTc(far, 'egress');
      xdp.replace(second.program('xdp_pass'));
      first.close();
      assert.notEqual(xdpOf('nat-far'), undefined);
      assert.equal(filtersOf('nat-far', 'egress'), '');
      assert.throws(() => xdp.replace(first.program('xdp_pass')), failure('object.program', 'EBADF'));
      second.close();
      assert.equal(xdpOf('nat-far'), undefined);
      assert.throws(() => xdp.replace(object.program('xdp_pass')), failure('link.replace', 'EBADF'));
    });

    test('a link whose interface went away closes quietly', () => {
      makeVeth('nat-gone', 'nat-gone2');
      const index = native.interfaceIndex('nat-gone');
      const xdp = object.program('xdp_pass').attachXdp(index, 'native');
      const tc = object.program('tc_mark').attachTc(index, 'egress');
      execFileSync('ip', ['link', 'del', 'nat-gone']);
      assert.throws(() => xdp.replace(object.program('xdp_drop')), failure('link.replace', 'ENOLINK'));
      assert.throws(() => tc.replace(object.program('tc_drop')), failure('link.replace', 'ENODEV'));
      xdp.close();
      tc.close();
    });
  });
}
