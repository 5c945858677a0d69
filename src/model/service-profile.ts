/** What AAA grants a subscriber. */

/** `walled` puts the subscriber behind the walled garden. A rate of 0 means unlimited. */
export interface ServiceProfile {
  readonly serviceId: string;
  readonly poolName: string;
  readonly walled: boolean;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

/** Whether a subscriber who cannot be moved into the garden's pool is walled where it is: no other profile is walled outside of it. */
export function isWalledInPlace({ walled, poolName }: ServiceProfile, gardenPool: string): boolean {
  return walled && poolName !== gardenPool;
}
