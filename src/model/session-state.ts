/** The states of a session as operators see them. A plain list: the operator page has it from here, too. */

export const SESSION_STATES = [
  'discovered',
  'wgar',
  'activating',
  'active',
  'suspended',
  'terminated',
] as const;
export type SessionStateName = (typeof SESSION_STATES)[number];
