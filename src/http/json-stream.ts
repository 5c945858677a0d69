/** A long JSON list as a stream that leaves the event loop free between its parts. Knows no route. */
import { Readable } from 'node:stream';
import { TimeSlices } from './time-slice.js';

/** Items in one part at most, however soon they are rendered: a part is not to grow large either. */
const ITEMS_PER_PART = 250;

/** `{…head, "name": [items…]}`; items are rendered as the reader takes them. */
export function jsonListStream(head: object, name: string, items: Iterable<unknown>): Readable {
  return Readable.from(chunks(head, name, items), { objectMode: false });
}

async function* chunks(head: object, name: string, items: Iterable<unknown>): AsyncGenerator<string> {
  const opening = JSON.stringify(head).slice(0, -1);
  let text = `${opening}${opening === '{' ? '' : ','}${JSON.stringify(name)}:[`;
  const slices = new TimeSlices();
  let waiting = 0;
  let separator = '';
  for (const item of items) {
    text += `${separator}${JSON.stringify(item)}`;
    separator = ',';
    waiting += 1;
    if (waiting < ITEMS_PER_PART && !slices.isOver) continue;
    yield text;
    text = '';
    waiting = 0;
    await slices.turn();
  }
  yield `${text}]}`;
}
