/** Metrics of the process itself: CPU, memory, descriptors, and how long the event loop is held up. No BNG in here. */
import { readdirSync } from 'node:fs';
import type { MetricCatalogue } from './metric-catalogue.js';

/** How often the loop is asked whether it is on time. */
const PROBE_MS = 20;
const DELAY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export function defineProcessFamilies(catalogue: MetricCatalogue) {
  return {
    cpu: catalogue.counter('bng_process_cpu_seconds_total', 'CPU time of the control plane', {
      mode: '`user` or `system`',
    }),
    resident: catalogue.gauge(
      'bng_process_resident_memory_bytes',
      'Resident memory of the control plane',
      {},
    ),
    heap: catalogue.gauge('bng_process_heap_used_bytes', 'Used heap of JavaScript', {}),
    descriptors: catalogue.gauge('bng_process_open_fds', 'Open file descriptors', {}),
    started: catalogue.gauge(
      'bng_process_start_time_seconds',
      'When the process began, seconds since 1970',
      {},
    ),
    loopBusy: catalogue.counter(
      'bng_event_loop_busy_seconds_total',
      'Time that the event loop spent at work; its rate is the loop’s utilisation, 0 to 1',
      {},
    ),
    loopDelay: catalogue.histogram(
      'bng_event_loop_delay_seconds',
      `How late a timer of ${PROBE_MS} ms fired, asked for all the time: what a frame waits while the loop is held up`,
      { labels: {}, buckets: DELAY_BUCKETS },
    ),
  };
}

export class ProcessMetrics {
  readonly #families: ReturnType<typeof defineProcessFamilies>;
  readonly #stop: () => void;

  /** Begins to watch the event loop; `close` ends it. */
  constructor(catalogue: MetricCatalogue) {
    this.#families = defineProcessFamilies(catalogue);
    this.#families.started.set(performance.timeOrigin / 1000);
    this.#stop = this.#watchLoop();
  }

  read(): void {
    const { cpu, resident, heap, descriptors, loopBusy } = this.#families;
    const usage = process.cpuUsage();
    cpu.reset();
    cpu.inc({ mode: 'user' }, usage.user / 1e6);
    cpu.inc({ mode: 'system' }, usage.system / 1e6);
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heap.set(memory.heapUsed);
    descriptors.set(readdirSync('/proc/self/fd').length);
    loopBusy.reset();
    loopBusy.inc(performance.eventLoopUtilization().active / 1000);
  }

  close(): void {
    this.#stop();
  }

  #watchLoop(): () => void {
    let askedMs = performance.now();
    const probe = setInterval(() => {
      const nowMs = performance.now();
      // An interval does not make up for lost time: each firing is late by what exceeds its own length.
      this.#families.loopDelay.observe(Math.max(0, nowMs - askedMs - PROBE_MS) / 1000);
      askedMs = nowMs;
    }, PROBE_MS);
    probe.unref();
    return () => clearInterval(probe);
  }
}
