import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.js';
import type { ConfigProblem } from '../../src/config/problem.js';
import { formatProblem } from '../../src/config/problem.js';
import { seededRandom } from '../support/seeded-random.js';
import { also, MINIMAL } from './minimal-yaml.js';

function problemsOf(text: string): readonly ConfigProblem[] {
  const result = parseConfig(text);
  return result.ok ? [] : result.problems;
}

describe('problems', () => {
  it('come all at once, in the order of their lines, from every section and every level', () => {
    const text = `access:
  interface: access0
  xdpMode: fast
core: { interface: access0 }
pools:
  - name: wgar
    network: 10.255.0.0/16
    gateway: 10.254.0.1
    leaseTime: soon
  - name: isp
    network: 10.255.0.0/17
    gateway: 10.255.0.1
    gatway: 10.255.0.1
auth:
  mode: radius
  defaultPool: lost
walledGarden: { pool: wgar, portal: 10.255.0.1:80 }
`;
    assert.deepEqual(
      problemsOf(text).map((problem) => formatProblem(problem, 'bng.yaml')),
      [
        'bng.yaml:1: radius: expected a mapping, as auth.mode is radius, found nothing',
        'bng.yaml:3: access.xdpMode: expected native or generic, found fast',
        'bng.yaml:4: core.interface: expected an interface other than access.interface, found access0',
        'bng.yaml:8: pools[0].gateway: expected an address inside 10.255.0.0/16, found 10.254.0.1',
        'bng.yaml:9: pools[0].leaseTime: expected a duration such as 600s, 10m, 24h or 7d, found soon',
        'bng.yaml:11: pools[1].network: expected a network that does not overlap pools[0].network 10.255.0.0/16, found 10.255.0.0/17',
        'bng.yaml:13: pools[1].gatway: expected only the keys name, network, gateway, dns, leaseTime, exclude, renewTime, rebindTime, options, drain, found the unknown key gatway',
        'bng.yaml:16: auth.defaultPool: expected the name of a pool (wgar, isp), found lost',
        'bng.yaml:17: walledGarden.portal: expected the gateway of pool wgar: 10.254.0.1:port, found 10.255.0.1:80',
      ],
    );
  });

  it('name every setting that must be there when the file is empty', () => {
    for (const text of ['', '# nothing\n', '{}']) {
      assert.deepEqual(
        problemsOf(text)
          .map((problem) => problem.path)
          .sort(),
        ['access.interface', 'auth.defaultPool', 'auth.mode', 'core.interface', 'pools', 'walledGarden.pool'],
      );
    }
  });

  it('of a file that is no mapping, or has no pool, say so', () => {
    assert.equal(problemsOf('- access')[0]!.message, 'expected a mapping, found a list');
    const [problem] = problemsOf(MINIMAL.replace(/pools:\n.*\n.*\n/, 'pools: []\n'));
    assert.equal(problem!.message, 'pools: expected at least one pool, found an empty list');
  });

  it('do not follow from one another: a pool without a readable name makes no reference to it wrong', () => {
    const text = MINIMAL.replace('name: isp', 'name: "?"').replace('defaultPool: wgar', 'defaultPool: isp');
    assert.deepEqual(
      problemsOf(text).map((problem) => problem.path),
      ['pools[1].name'],
    );
  });

  it('of the YAML itself have the line: syntax, duplicate keys, unknown tags, aliases', () => {
    const cases: readonly [string, number | null, RegExp][] = [
      [also('api: { listen: 127.0.0.1:8080\nlog: {}'), 9, /flow/i],
      [also('core: { interface: core1 }'), 8, /unique/],
      [also('log: { level: !secret info }'), 8, /tag/],
      [also('log: { level: *none }'), null, /alias/],
      [also('\tlog: {}'), 8, /tab/i],
    ];
    for (const [text, line, pattern] of cases) {
      const [problem] = problemsOf(text);
      assert.match(problem!.message, /^expected valid YAML, found /);
      assert.match(problem!.found, pattern);
      assert.deepEqual([problem!.path, problem!.line], ['', line], problem!.found);
    }
  });

  it('of multiplying aliases are problems, not memory', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [at, name] of [...'bcdefghi'].entries()) {
      const before = 'abcdefgh'[at]!;
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
    }
    assert.match(problemsOf(bomb.join('\n'))[0]!.message, /alias/i);
  });

  it('or a configuration is what any text gives: mutated files never throw', () => {
    const random = seededRandom(5);
    const pieces = [
      ...'{}[]:,-&*!?|>#%@`"\'\n\t \0',
      '? [a]: b\n',
      '<<: *x',
      '__proto__: 1\n',
      '!!binary',
      '---\n',
      '0x',
      '~',
    ];
    const outcomes = { right: 0, wrong: 0 };
    for (let n = 0; n < 1500; n++) {
      let text = MINIMAL + 'olt: { vlans: { wgar: 100 } }\n';
      for (let k = 0; k <= n % 3; k++) {
        const at = Math.floor(random() * text.length);
        const piece = pieces[Math.floor(random() * pieces.length)]!;
        text = text.slice(0, at) + piece + text.slice(at + Math.floor(random() * 4));
      }
      const result = parseConfig(text);
      outcomes[result.ok ? 'right' : 'wrong'] += 1;
      if (!result.ok) assert.ok(result.problems.length > 0, text);
    }
    assert.ok(outcomes.right > 0 && outcomes.wrong > 0, JSON.stringify(outcomes));
  });
});
