/** Server-sent events out of text that arrives in pieces (HTML standard §9.2.6). Pure. */

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  /** The last piece ended with a CR, whose LF may come with the next. */
  #mayBeginWithLf = false;

  /** The events that are whole now. */
  push(text: string): ServerSentEvent[] {
    if (text === '') return [];
    const lines = (this.#rest + (this.#mayBeginWithLf ? text.replace(/^\n/, '') : text)).split(/\r\n|\n|\r/);
    this.#mayBeginWithLf = text.endsWith('\r');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  /** The event that the line ends, if it does. Names of fields other than these two, and comments, are passed over. */
  #take(line: string): readonly ServerSentEvent[] {
    if (line === '') {
      const whole = this.#data.length > 0 ? [{ event: this.#event, data: this.#data.join('\n') }] : [];
      this.#event = '';
      this.#data = [];
      return whole;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    return [];
  }
}
