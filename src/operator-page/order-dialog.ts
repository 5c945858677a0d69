/** Asks before an order is given, with what the order needs to know; gives it; says what came of it. */
import type { OverviewPool } from '../http/overview.js';
import type { Api, OrderName, SessionDetail } from './api.js';
import { reasonOf } from './api.js';
import { h, setText } from './element.js';

const MEGABIT = 1_000_000;

const WORDS: Readonly<Record<OrderName, { title: string; does: string; button: string }>> = {
  activate: {
    title: 'Activate',
    does: 'The line leaves the walled garden: its link is interrupted for a moment and it gets another address.',
    button: 'Activate',
  },
  suspend: {
    title: 'Suspend',
    does: 'The line goes back into the walled garden at once. The reason is shown to the subscriber.',
    button: 'Suspend',
  },
  resume: { title: 'Resume', does: 'The suspension ends: the line gets its service back.', button: 'Resume' },
  terminate: {
    title: 'Terminate',
    does: 'The session ends: forwarding stops, accounting is closed and the address is given up.',
    button: 'Terminate',
  },
};

export const orderTitle = (name: OrderName): string => WORDS[name].title;

function field(label: string, input: HTMLElement): HTMLElement {
  return h('label', { class: 'field' }, h('span', {}, label), input);
}

interface Fields {
  readonly elements: readonly HTMLElement[];
  readonly body: () => object;
}

function activateFields(pools: readonly OverviewPool[], gardenPool: string | null): Fields {
  const service = h('input', {
    name: 'service',
    required: true,
    maxlength: 64,
    pattern: '[!-~]+',
    title: 'printable ASCII characters without spaces',
    autocomplete: 'off',
  });
  const open = pools.filter(({ name, state }) => name !== gardenPool && state === 'open');
  const choices = new Set(open.flatMap(({ name, groups }) => (groups.length === 0 ? [name] : groups)));
  const pool = h(
    'select',
    { name: 'pool', required: true },
    ...[...choices].map((name) => h('option', {}, name)),
  );
  const rate = (name: string): HTMLInputElement =>
    h('input', { name, type: 'number', min: 0, max: 1_000_000, step: 'any', required: true, value: 0 });
  const [down, up] = [rate('download'), rate('upload')];
  const bits = (input: HTMLInputElement): number => Math.round(input.valueAsNumber * MEGABIT);
  return {
    elements: [
      field('Service id', service),
      field('Pool', pool),
      field('Download, Mbit/s (0 = unlimited)', down),
      field('Upload, Mbit/s (0 = unlimited)', up),
    ],
    body: () => ({
      service_id: service.value,
      pool: pool.value,
      qos_download_bps: bits(down),
      qos_upload_bps: bits(up),
    }),
  };
}

function reasonFields(): Fields {
  const reason = h('input', { name: 'reason', maxlength: 200, autocomplete: 'off' });
  return {
    elements: [field('Reason (optional)', reason)],
    body: () => (reason.value.trim() === '' ? {} : { reason: reason.value.trim() }),
  };
}

export interface OrderDialogOptions {
  readonly api: Api;
  readonly name: OrderName;
  readonly session: SessionDetail;
  readonly pools: readonly OverviewPool[];
  /** Told when the BNG has done it. */
  readonly onDone: () => void;
}

/** Opens the dialog; it closes itself. */
export function openOrderDialog({ api, name, session, pools, onDone }: OrderDialogOptions): void {
  const words = WORDS[name];
  const serial = session.ont_serial ?? '';
  const fields: Fields =
    name === 'activate'
      ? activateFields(pools, session.pool)
      : name === 'suspend'
        ? reasonFields()
        : { elements: [], body: () => ({}) };
  const problem = h('p', { class: 'problem', role: 'alert' });
  const confirm = h(
    'button',
    { type: 'submit', class: name === 'terminate' ? 'danger' : 'primary' },
    `${words.button} ${serial}`,
  );
  const cancel = h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'order-title' }, `${words.title} ${serial}?`),
    h('p', {}, words.does),
    ...fields.elements,
    problem,
    h('div', { class: 'buttons' }, cancel, confirm),
  );
  const dialog = h('dialog', { class: 'order', 'aria-labelledby': 'order-title' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    confirm.disabled = true;
    setText(problem, '');
    api
      .order(name, { ont_serial: serial, ...fields.body() })
      .then(() => {
        dialog.close();
        onDone();
      })
      .catch((error: unknown) => setText(problem, reasonOf(error)))
      .finally(() => (confirm.disabled = false));
  });
  document.body.append(dialog);
  dialog.showModal();
  if (fields.elements.length === 0) cancel.focus();
}
