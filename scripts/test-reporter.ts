// The reporter that run-tests gives to each test file: one JSON line per finished test, and a last line that proves that
// the runner came to its end. It holds no judgement: test-tally does.
import { inspect } from 'node:util';
import type { TestEvent } from 'node:test/reporters';
import type { ReportLine } from './test-tally.js';

/** Turns the events of node:test into lines of `ReportLine`. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, nesting, details, skip, todo } = event.data;
    const error = event.type === 'test:fail' ? event.data.details.error : undefined;
    const line: ReportLine = {
      kind: 'test',
      name,
      nesting,
      passed: event.type === 'test:pass',
      suite: details.type === 'suite',
      skip: reason(skip) ?? reason(todo, 'todo'),
      failure: error && {
        fromChildren: (error as { failureType?: string }).failureType === 'subtestsFailed',
        text: inspect(error.cause ?? error, { depth: 6, breakLength: 110 }),
      },
    };
    yield `${JSON.stringify(line)}\n`;
  }
  const end: ReportLine = { kind: 'end' };
  yield `${JSON.stringify(end)}\n`;
}

function reason(given: string | boolean | undefined, otherwise = 'no reason given'): string | undefined {
  if (given === undefined || given === false) return undefined;
  return typeof given === 'string' && given !== '' ? given : otherwise;
}
