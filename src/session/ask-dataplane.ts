/** Puts a question of the machine to the dataplane and turns the outcome into the machine's answer. No decisions. */
import type { Dataplane } from '../dataplane/port.js';
import type { AnswerEvent, Ask } from './machine/types.js';

type DataplaneAsk = Extract<Ask, { ask: 'install' | 'update' | 'remove' }>;

export async function askDataplane(dataplane: Dataplane, ask: DataplaneAsk): Promise<AnswerEvent> {
  switch (ask.ask) {
    case 'install': {
      const outcome = await dataplane.install(ask.entry);
      return outcome.ok ? { type: 'installed' } : { type: 'install-failed', reason: outcome.reason };
    }
    case 'update': {
      const outcome = await dataplane.update(ask.entry);
      return outcome.ok ? { type: 'updated' } : { type: 'update-failed', reason: outcome.reason };
    }
    case 'remove': {
      const outcome = await dataplane.remove(ask.address);
      if (!outcome.ok) return { type: 'remove-failed', reason: outcome.reason };
      const { traffic, receipt } = outcome;
      return { type: 'removed', traffic, receipts: receipt === null ? [] : [receipt] };
    }
  }
}
