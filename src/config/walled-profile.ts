/** The service profile of the walled garden, as configuration implies it. */
import type { ServiceProfile } from '../model/service-profile.js';
import type { Config } from './config.js';

/** What a subscriber has before activation and while suspended: the garden's pool, walled, no rate limit. */
export function walledProfile(config: Config): ServiceProfile {
  return {
    serviceId: config.walledGarden.poolName,
    poolName: config.walledGarden.poolName,
    walled: true,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
  };
}
