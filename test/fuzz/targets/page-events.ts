/**
 * The operator page's stream of events: what comes out does not depend on how the text is cut, is what the standard says, and
 * events as the server writes them come out as they went in.
 */
import assert from 'node:assert/strict';
import { EventParser } from '../../../src/operator-page/event-parser.js';
import type { ServerSentEvent } from '../../../src/operator-page/event-parser.js';
import { bytesOf } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

function eventsOf(text: string, step: number): readonly ServerSentEvent[] {
  const parser = new EventParser();
  const events: ServerSentEvent[] = [];
  for (let at = 0; at < text.length; at += step) events.push(...parser.push(text.slice(at, at + step)));
  return events;
}

/** The whole text at once, as HTML §9.2.6 goes through it. */
function standardEventsOf(text: string): readonly ServerSentEvent[] {
  // Without what follows the last blank line: it is no event yet.
  const blocks = text.replace(/\r\n|\r/g, '\n').split('\n');
  const events: ServerSentEvent[] = [];
  let event = '';
  let data: string[] = [];
  for (const line of blocks.slice(0, -1)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (line === '') {
      if (data.length > 0) events.push({ event, data: data.join('\n') });
      event = '';
      data = [];
    } else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
  return events;
}

export const target: FuzzTarget = {
  seeds: () =>
    [
      ': the overview from now on\n\nevent: history\ndata: [1]\n\n: heartbeat\n\nid: 1\nevent: overview\ndata: {"a":\ndata: 1}\n\n',
      'data:x\r\ndata\r\revent:a\r\n\r\nretry: 1\nda: y\n\n',
    ].map(bytesOf),
  words: ['\n\n', '\r\n', '\r', 'data:', 'data: ', 'event: ', 'id: 7', ':'],
  maxBytes: 1_000,
  boundedRuns: 6_000,
  run: (input) => {
    const text = Buffer.from(input).toString('utf8');
    const events = eventsOf(text, text.length || 1);
    assert.deepEqual(events, standardEventsOf(text));
    assert.deepEqual(eventsOf(text, 1 + (input.length % 7)), events);
    // As src/http/ writes them.
    const sent = JSON.stringify(text);
    assert.deepEqual(eventsOf(`event: a\ndata: ${sent}\n\n`, 3), [{ event: 'a', data: sent }]);
  },
};
