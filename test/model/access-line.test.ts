import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessLine, Attachment } from '../../src/model/access-line.js';
import { attachmentKey, formatAttachment } from '../../src/model/access-line.js';
import { parseMac } from '../../src/model/mac.js';

const at: Attachment = { ifindex: 3, sVlan: 100, cVlan: 7, mac: parseMac('02:00:00:00:00:01') };

describe('an attachment', () => {
  it('has a key of its own for each interface, tag pair and MAC', () => {
    const others: readonly Attachment[] = [
      at,
      { ...at, ifindex: 4 },
      { ...at, sVlan: 101 },
      { ...at, cVlan: 8 },
      { ...at, mac: parseMac('02:00:00:00:00:02') },
      { ...at, sVlan: 7, cVlan: 100 },
      { ...at, ifindex: 31, sVlan: 0 },
      { ...at, sVlan: 10, cVlan: 7 },
    ];
    assert.equal(new Set(others.map(attachmentKey)).size, others.length);
  });

  it('has the same key whatever the access node says of its line', () => {
    const line: AccessLine = { ...at, circuitId: Uint8Array.of(1), remoteId: Uint8Array.of(2) };
    assert.equal(attachmentKey(line), attachmentKey(at));
  });

  it('is written with the tags that it has', () => {
    assert.equal(formatAttachment(at), '100.7 02:00:00:00:00:01');
    assert.equal(formatAttachment({ ...at, cVlan: 0 }), '100 02:00:00:00:00:01');
    assert.equal(formatAttachment({ ...at, sVlan: 0, cVlan: 0 }), 'untagged 02:00:00:00:00:01');
  });
});
