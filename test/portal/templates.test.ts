/** An operator's templates: what may stand in them, and that they reach the page. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTemplateFiles } from '../../src/config/template-files.js';
import { compileTemplates } from '../../src/portal/templates.js';
import { LANGUAGES, TEXTS } from '../../src/portal/texts.js';
import { get, portalWorld } from './portal-peer.js';

const PAGE =
  '<html lang="{{lang}}"><title>{{title}}</title><style>{{{style}}}</style>{{{head}}}<h1>Mine</h1>{{{content}}}';

test('templates, style and wording of a folder take the place of the built-in ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portal-templates-'));
  try {
    writeFileSync(join(folder, 'page.html'), PAGE);
    writeFileSync(join(folder, 'offer.html'), '<li>{{name}}{{{button}}}</li>');
    writeFileSync(join(folder, 'style.css'), 'p{color:red}');
    writeFileSync(join(folder, 'texts.json'), '{"de":{"wgarTitle":"Noch {{zu}} & <zu>"}}');
    writeFileSync(join(folder, '.hidden'), '');
    const templates = readTemplateFiles(folder);
    const { body, headers } = await get(portalWorld({}, { templates }), '/?lang=de');
    assert.ok(
      body.startsWith(
        '<html lang="de"><title>Noch {{zu}} &amp; &lt;zu&gt;</title><style>p{color:red}</style><h1>Mine</h1>',
      ),
      body,
    );
    assert.match(body, /<li>Zuhause 100<button/);
    assert.match(String(headers['content-security-policy']), /style-src 'sha256-/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what no page could be made of is refused, with the file and what was expected', () => {
  for (const [files, told] of [
    [{ 'pages.html': '' }, /only files of the portal.*\[found:pages.html\]/],
    [
      { 'page.html': PAGE.replace('{{{content}}}', '') },
      /expected \{\{\{content\}\}\} in the template \[file:page.html\]/,
    ],
    [{ 'page.html': `${PAGE}{{nothing}}` }, /only these in braces.*\[found:nothing\]/],
    [{ 'page.html': `${PAGE}{{content}}` }, /only these in braces.*\[found:content\]/],
    [{ 'style.css': 'p{}</STYLE><script>' }, /style sheet that does not end/],
    [{ 'texts.json': '[' }, /texts of the portal/],
    [{ 'texts.json': '{"fr":{}}' }, /\[found:the language fr\]/],
    [{ 'texts.json': '{"de":{"x":"y"}}' }, /\[found:the unknown text de.x\]/],
    [{ 'texts.json': '{"de":{"wgarTitle":1}}' }, /de.wgarTitle, which is no text/],
  ] as const) {
    assert.throws(() => compileTemplates(files), { code: 'BNG_ERR_CONFIG', message: told });
  }
});

test('a folder that is not there is named', () => {
  assert.throws(() => readTemplateFiles('/nonexistent'), {
    code: 'BNG_ERR_CONFIG',
    message: /\/nonexistent/,
  });
  assert.deepEqual(readTemplateFiles(null), {});
});

test('every text is there in every language', () => {
  for (const language of LANGUAGES) {
    assert.deepEqual(Object.keys(TEXTS[language]), Object.keys(TEXTS.en));
    for (const [name, text] of Object.entries(TEXTS[language]))
      assert.notEqual(text.trim(), '', `${language} ${name}`);
  }
});
