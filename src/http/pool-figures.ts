/** The figures that API and metrics both derive from a pool's usage, so that they always agree. */
import type { PoolGroup, PoolUsage } from '../pool/port.js';

/** Addresses that could be given right now. */
export function availableAddresses(usage: PoolUsage): number {
  if (usage.drain !== 'none') return 0;
  return Math.max(usage.capacity - usage.allocated - usage.quarantined, 0);
}

/** The allocated share of the capacity, 0 to 1; a pool without capacity counts as full. */
export function utilization(usage: PoolUsage): number {
  return usage.capacity === 0 ? 1 : usage.allocated / usage.capacity;
}

/** `draining` until nobody has an address of it, then `drained`: it may be taken out. */
export function poolState({ drain, held }: PoolUsage): 'open' | 'draining' | 'drained' {
  if (drain === 'none') return 'open';
  return held > 0 ? 'draining' : 'drained';
}

/** What the pools of a group have together; one that is drained has no part in it. */
export function groupFigures(
  { pools: names }: PoolGroup,
  pools: readonly PoolUsage[],
): { readonly available: number; readonly utilization: number } {
  const open = pools.filter(({ name, drain }) => names.includes(name) && drain === 'none');
  const sum = (of: (usage: PoolUsage) => number): number => open.reduce((all, usage) => all + of(usage), 0);
  const capacity = sum((usage) => usage.capacity);
  return {
    available: sum(availableAddresses),
    utilization: capacity === 0 ? 1 : sum((usage) => usage.allocated) / capacity,
  };
}
