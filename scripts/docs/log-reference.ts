/** docs/logs.md, made of the closed list of events. */
import { LOG_EVENTS } from '../../src/log-events.js';
import { cell } from './markdown.js';

const HEAD = `<!-- Written by make docs from src/log-events.ts; do not edit. -->
# Log and audit log

## The log

JSON lines on standard output ([pino](https://getpino.io)): under systemd they are in the journal. Every line has \`level\` (30 info, 40 warn, 50 error, 60 fatal),
\`time\` in milliseconds since 1970, and \`event\`. The names of events are stable, and this list is closed: the compiler takes no other. \`log.level\` says what is
the least that is written.

Each step of a subscriber's life is one line with the same ids, so one is followed by any of them: \`session\` (of this session), \`ont\` (serial), \`line\`
(interface, tags and MAC), \`address\`.

\`\`\`sh
jq -c 'select(.ont == "LAB00000001") | [.event, .state, .address]' /run/bng-lab/bng/bng.log
\`\`\`

Secrets are in no line: tokens and shared secrets are read from files and never logged; fields with such names are cut out all the same. A test reads
the whole log of a run with RADIUS and looks for them.
`;

const AUDIT = `
## The audit log

One JSON line for each order that was admitted: of an operator over the unix socket or HTTP, of an AAA server by CoA or Disconnect. It is not subject to \`log.level\`.
\`audit.to\` puts it beside the log (\`stdout\`, the default), to \`stderr\`, or into a file of its own with mode 0600; the file may be rotated by renaming it.

| Field | Meaning |
|---|---|
| \`time\` | when it was answered, ISO 8601 |
| \`event\` | \`audit\` |
| \`actor.via\`, \`actor.name\`, \`actor.address\` | \`socket\` and \`root\` (nobody else can open the socket); \`http\`, the name of the token's file and the client's address; \`radius\` and the client's address |
| \`action\` | \`activate\`, \`suspend\`, \`resume\`, \`terminate\`, \`drain\`, \`reload\`, \`change-of-authorization\`, \`disconnect\` |
| \`order\` | what was ordered |
| \`before\`, \`after\` | the session (or, of \`drain\` and \`reload\`, the BNG) before and after: state, address, pool, service, rates; \`null\` where there is none |
| \`result\`, \`reason\` | \`done\` or \`refused\`, and why |
`;

/** The whole document. */
export function logReference(): string {
  const rows = Object.entries(LOG_EVENTS).map(
    ([name, { level, meaning, fields }]) =>
      `| \`${name}\` | ${level} | ${fields.map((field) => (field === '…' ? '…' : `\`${field}\``)).join(', ')} | ${cell(meaning)} |`,
  );
  return `${HEAD}\n| Event | Level | Fields | Meaning |\n|---|---|---|---|\n${rows.join('\n')}\n${AUDIT}`;
}
