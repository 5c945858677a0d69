/** What AAA grants a subscriber. */

/** `walled` puts the subscriber behind the walled garden. A rate of 0 means unlimited. */
export interface ServiceProfile {
  readonly serviceId: string;
  readonly poolName: string;
  readonly walled: boolean;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}
