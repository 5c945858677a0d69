/** Server-sent events out of text that arrives in pieces (HTML standard §9.2.6). Pure. */

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  /** The events that are whole now. */
  push(text: string): ServerSentEvent[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    const whole: ServerSentEvent[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) whole.push({ event: this.#event, data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
      } else if (line.startsWith('event: ')) {
        this.#event = line.slice(7);
      } else if (line.startsWith('data: ')) {
        this.#data.push(line.slice(6));
      }
    }
    return whole;
  }
}
