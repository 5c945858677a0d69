/** The states of a session as this page says and colours them. */
import { SESSION_STATES } from '../model/session-state.js';
import type { SessionStateName } from '../model/session-state.js';
import { h, setAttribute, setText } from './element.js';
import type { OrderName } from './api.js';

export const STATE_NAMES: Readonly<Record<SessionStateName, string>> = {
  discovered: 'Discovered',
  wgar: 'Walled garden',
  activating: 'Activating',
  active: 'Active',
  suspended: 'Suspended',
  terminated: 'Terminated',
};

/** What makes sense in a state; the BNG decides. */
export const ORDERS: Readonly<Record<SessionStateName, readonly OrderName[]>> = {
  discovered: ['terminate'],
  wgar: ['activate', 'terminate'],
  activating: ['terminate'],
  active: ['suspend', 'terminate'],
  suspended: ['resume', 'terminate'],
  terminated: [],
};

export function stateOf(text: string): SessionStateName | null {
  return SESSION_STATES.find((state) => state === text) ?? null;
}

export function stateName(text: string): string {
  const state = stateOf(text);
  return state === null ? text : STATE_NAMES[state];
}

/** Shows a state, in words and with its colour. */
export function showState(holder: HTMLElement, state: string): void {
  const badge = holder.firstElementChild ?? holder.appendChild(h('span'));
  setAttribute(badge, 'class', `badge state-${state}`);
  setText(badge, stateName(state));
}
