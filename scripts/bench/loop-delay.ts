/** Asks a process that has loop-probe.ts in it how late its event loop was, and what memory it uses. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const loopDelaySchema = z.object({ p99Ms: z.number(), mostMs: z.number(), count: z.int().nonnegative() });
export type LoopDelay = z.infer<typeof loopDelaySchema>;

const usedMemorySchema = z.object({ heapBytes: z.number(), externalBytes: z.number() });
export type UsedMemory = z.infer<typeof usedMemorySchema>;

/** Since the last time that somebody asked at `path`, or since the process began. */
export async function loopDelay(path: string): Promise<LoopDelay> {
  return loopDelaySchema.parse(JSON.parse(await text(connect(path))));
}

/** What is in use when there is no garbage. Collecting it delays the loop. */
export async function usedMemory(path: string): Promise<UsedMemory> {
  return usedMemorySchema.parse(JSON.parse(await text(connect(memorySocket(path)))));
}

/** Where a probe at `path` tells of memory. */
export function memorySocket(path: string): string {
  return `${path}-memory`;
}
