/** A long JSON list as a stream that leaves the event loop free between its parts. Knows no route. */
import { Readable } from 'node:stream';
import { TimeSlices } from './time-slice.js';

/** `{…head, "name": [items…]}`; items are rendered as the reader takes them. */
export function jsonListStream(head: object, name: string, items: Iterable<unknown>): Readable {
  return Readable.from(chunks(head, name, items), { objectMode: false });
}

async function* chunks(head: object, name: string, items: Iterable<unknown>): AsyncGenerator<string> {
  const opening = JSON.stringify(head).slice(0, -1);
  let text = `${opening}${opening === '{' ? '' : ','}${JSON.stringify(name)}:[`;
  const slices = new TimeSlices();
  let separator = '';
  for (const item of items) {
    text += `${separator}${JSON.stringify(item)}`;
    separator = ',';
    if (!slices.isOver) continue;
    yield text;
    text = '';
    await slices.turn();
  }
  yield `${text}]}`;
}
