/** What `make test-asan` takes for a finding; the reports are of gcc 12's runtimes over an addon with three defects put in by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addonLeaks, sanitizerErrors } from '../../scripts/sanitizer-text.js';

const OVERFLOW = `=================================================================
==654==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60700005032d at pc 0x7f6275a48061 bp 0x7ffdbf6d31a0 sp 0x7ffdbf6d2950
WRITE of size 102 at 0x60700005032d thread T0
    #0 0x7f6275a48060 in __interceptor_memcpy ../../../../src/libsanitizer/sanitizer_common/sanitizer_common_interceptors.inc:827
    #1 0x7f6250935d8c in bng::sendDatagram(Napi::CallbackInfo const&) ../native/datagram.cpp:34
`;

const LEAKS = `
=================================================================
==635==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 77 byte(s) in 1 object(s) allocated from:
    #0 0x7f9b8a0b94c8 in operator new[](unsigned long) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:98
    #1 0x7f9b88135d6a in bng::sendDatagram(Napi::CallbackInfo const&) ../native/datagram.cpp:34
    #2 0x7f9b8812e3ea in napi_value__* Napi::details::WrapCallback (/tmp/bug/build/Release/bng_native.node+0x12e3ea)

Direct leak of 24 byte(s) in 1 object(s) allocated from:
    #0 0x7f9b8a0b94c8 in operator new(unsigned long) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:95
    #1 0xc45d94 in node::NewIsolate(v8::ArrayBuffer::Allocator*) (/usr/bin/node+0xc45d94)

SUMMARY: AddressSanitizer: 101 byte(s) leaked in 2 allocation(s).
`;

test('an access out of bounds is an error, named once whatever its addresses are', () => {
  const [found, ...more] = sanitizerErrors(OVERFLOW);
  assert.deepEqual(more, []);
  assert.match(found ?? '', /^ERROR: AddressSanitizer: heap-buffer-overflow on address 0x…/);
  assert.match(found ?? '', /native\/datagram\.cpp:34/);
  assert.deepEqual(sanitizerErrors(OVERFLOW.replaceAll('0x6070', '0x6080')), [found]);
});

test('undefined behaviour is an error', () => {
  const line =
    "../native/datagram.cpp:35:50: runtime error: signed integer overflow: 60 + 2147483647 cannot be represented in type 'int'";
  assert.deepEqual(sanitizerErrors(`${line}\n    #0 0x7f63c3b35f3c in bng::sendDatagram\n`), [line]);
});

test('a leak counts when a frame of it is ours, and is no other error; what Node leaves at its end does not', () => {
  const found = addonLeaks(LEAKS);
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^Direct leak of 77 byte/);
  assert.deepEqual(sanitizerErrors(LEAKS), []);
});
