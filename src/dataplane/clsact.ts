/** The queueing discipline that our egress program hangs on: remembers how to take it away. Attaches nothing. */
import { execa } from 'execa';
import type { UndoJournal } from './undo-journal.js';

/** With a clsact of somebody else's only our filter (native/link.cpp: handle 1, priority 1) is ours to take. */
export async function noteClsact(port: string, journal: UndoJournal, deadlineMs: number): Promise<void> {
  const whole = { run: ['tc', 'qdisc', 'del', 'dev', port, 'clsact'] };
  const filter = { run: ['tc', 'filter', 'del', 'dev', port, 'egress', 'pref', '1', 'handle', '1', 'bpf'] };
  const listing = await execa('tc', ['qdisc', 'show', 'dev', port], { timeout: deadlineMs, reject: false });
  const isThere = listing.stdout.includes('qdisc clsact');
  if (isThere && !journal.has(whole)) journal.note(filter);
  else journal.note(whole);
}
