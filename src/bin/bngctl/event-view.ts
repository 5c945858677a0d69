/** How lifecycle events look to people, one line each. */
import type { EventAnswer } from './api-answers.js';
import { stateStyle } from './session-columns.js';
import { harmless, paint } from './terminal.js';
import type { Terminal } from './terminal.js';
import { shortInstant } from './time.js';

export function eventView(terminal: Terminal, event: EventAnswer): string {
  const { from, to, address, pool, order, reason, session } = event;
  const parts = [
    from === undefined || to === undefined ? '' : `${from} → ${to}`,
    order ?? '',
    address ?? '',
    pool ?? '',
    reason ?? '',
  ].filter((part) => part !== '');
  const text = `${event.type.padEnd(15)} ${(session.ont_serial ?? session.id).padEnd(16)} ${parts.join(' ')}`;
  return `${shortInstant(event.at)} ${paint(terminal, to === undefined ? null : stateStyle(to), harmless(text))}`;
}
