/** The two figures that API and metrics both derive from a pool's usage, so that they always agree. */
import type { PoolUsage } from '../pool/port.js';

/** Addresses that could be given right now. */
export function availableAddresses(usage: PoolUsage): number {
  return Math.max(usage.capacity - usage.allocated - usage.quarantined, 0);
}

/** The allocated share of the capacity, 0 to 1; a pool without capacity counts as full. */
export function utilization(usage: PoolUsage): number {
  return usage.capacity === 0 ? 1 : usage.allocated / usage.capacity;
}
