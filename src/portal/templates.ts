/**
 * The portal's templates: the built-in ones, and an operator's in their place. A template is text with `{{name}}`, which
 * is replaced by escaped text, and `{{{name}}}`, which is replaced by markup of ours. No loops, no conditions, no I/O.
 */
import { BngError } from '../model/bng-error.js';
import { LANGUAGES, TEXTS } from './texts.js';
import type { Language, Texts } from './texts.js';

/** Files of the templates' folder, by name. */
export type TemplateFiles = Readonly<Record<string, string>>;

/** What each template is given; the pages do not work without those that are `needed`. */
const TEMPLATES = {
  'page.html': {
    given: ['lang', 'title', 'provider', '{style}', '{head}', '{content}', '{languages}'],
    needed: ['lang', 'title', '{style}', '{head}', '{content}'],
    text: `<!DOCTYPE html>
<html lang="{{lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>{{{style}}}</style>
{{{head}}}
</head>
<body>
<header><span>{{provider}}</span>{{{languages}}}</header>
<main>
<h1>{{title}}</h1>
{{{content}}}
</main>
</body>
</html>
`,
  },
  'offer.html': {
    given: ['name', 'description', 'downloadLabel', 'download', 'uploadLabel', 'upload', '{button}'],
    needed: ['name', '{button}'],
    text: `<li>
<h3>{{name}}</h3>
<p>{{description}}</p>
<dl><dt>{{downloadLabel}}</dt><dd>{{download}}</dd><dt>{{uploadLabel}}</dt><dd>{{upload}}</dd></dl>
{{{button}}}
</li>
`,
  },
  'style.css': {
    given: [],
    needed: [],
    text: `*{box-sizing:border-box}
body{font:1.0625rem/1.5 system-ui,sans-serif;margin:0;color:#1c2733;background:#eef2f5}
header{display:flex;justify-content:space-between;align-items:center;gap:1rem;max-width:40rem;margin:0 auto;padding:1rem}
header span{font-weight:600}
nav ul{display:flex;gap:1rem;list-style:none;margin:0;padding:0}
nav a,nav strong{display:inline-block;padding:.25rem 0}
main{max-width:40rem;margin:0 auto 2rem;padding:1.25rem;background:#fff;border-top:.35rem solid #0b6088}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
h2{font-size:1.15rem;margin:1.75rem 0 .5rem}
h3{font-size:1.05rem;margin:0}
a{color:#0a5578;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.5rem 0}
dt{color:#4a5662}
dd{margin:0;overflow-wrap:anywhere}
.offers{list-style:none;margin:0;padding:0;display:grid;gap:1rem}
.offers>li{border:1px solid #8795a3;border-radius:.4rem;padding:1rem}
.offers p{margin:.25rem 0}
button{font:inherit;font-weight:600;min-height:2.75rem;width:100%;padding:.5rem 1rem;border:0;border-radius:.3rem;color:#fff;background:#0b6088;cursor:pointer}
button:hover{background:#084a69}
a:focus-visible,button:focus-visible{outline:3px solid #b35900;outline-offset:2px}
.notice{padding:.75rem 1rem;border-left:.35rem solid #b3261e;background:#fdf0ef}
.progress{padding-left:1.5rem}
.progress small{color:#4a5662}
@media (prefers-color-scheme:dark){
body{color:#e6ebf0;background:#10161c}main{background:#1a222b}a{color:#7cc4e8}dt,.progress small{color:#b4c0cb}
.offers>li{border-color:#6b7a88}.notice{background:#3a1f1d}
button{color:#06202d;background:#7cc4e8}button:hover{background:#a5d8f1}
a:focus-visible,button:focus-visible{outline-color:#ffb866}
}
`,
  },
} as const;

export type TemplateName = keyof typeof TEMPLATES;

/** Wording of an operator's own, by language and name of the text. */
const TEXTS_FILE = 'texts.json';

export interface Templates {
  render(name: TemplateName, values: Readonly<Record<string, string>>): string;
  readonly style: string;
  readonly texts: Readonly<Record<Language, Texts>>;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes text safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const PLACE = /\{\{(?:\{([a-zA-Z]+)\}|([a-zA-Z]+))\}\}/g;

/** Takes an operator's files in the place of ours. Throws `BNG_ERR_CONFIG` for what no page could be made of. */
export function compileTemplates(files: TemplateFiles = {}): Templates {
  for (const name of Object.keys(files)) {
    if (name !== TEXTS_FILE && !isTemplate(name)) {
      throw new BngError('BNG_ERR_CONFIG', 'expected only files of the portal in its templates folder', {
        found: name,
        known: [...Object.keys(TEMPLATES), TEXTS_FILE].join(', '),
      });
    }
  }
  const text = (name: TemplateName): string => files[name] ?? TEMPLATES[name].text;
  for (const name of Object.keys(files)) if (isTemplate(name)) check(name, text(name));
  const style = text('style.css');
  if (/<\/style/i.test(style)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a style sheet that does not end its element', {
      file: 'style.css',
    });
  }
  return {
    style,
    texts: readTexts(files[TEXTS_FILE]),
    render: (name, values) =>
      text(name).replace(PLACE, (_all, markup: string | undefined, plain: string | undefined) =>
        markup === undefined ? escapeHtml(values[plain ?? ''] ?? '') : (values[markup] ?? ''),
      ),
  };
}

function isTemplate(name: string): name is TemplateName {
  return Object.hasOwn(TEMPLATES, name);
}

function check(name: TemplateName, text: string): void {
  const given: readonly string[] = TEMPLATES[name].given;
  const found = [...text.matchAll(PLACE)].map(([, markup, plain]) =>
    markup === undefined ? plain : `{${markup}}`,
  );
  for (const place of found) {
    if (place !== undefined && given.includes(place)) continue;
    throw new BngError('BNG_ERR_CONFIG', `expected only these in braces: ${given.join(', ') || 'nothing'}`, {
      file: name,
      found: place ?? '',
    });
  }
  for (const place of TEMPLATES[name].needed) {
    if (found.includes(place)) continue;
    throw new BngError('BNG_ERR_CONFIG', `expected {{${place}}} in the template`, { file: name });
  }
}

function readTexts(json: string | undefined): Templates['texts'] {
  if (json === undefined) return TEXTS;
  const refuse = (found: string): never => {
    throw new BngError('BNG_ERR_CONFIG', 'expected texts of the portal by language and name', {
      file: TEXTS_FILE,
      found,
    });
  };
  const parsed = parseJson(json) ?? refuse('no JSON object');
  const texts = { ...TEXTS };
  for (const [language, own] of Object.entries(parsed)) {
    const known = LANGUAGES.find((one) => one === language) ?? refuse(`the language ${language}`);
    if (!isRecord(own)) return refuse(`${language}, which is no object`);
    for (const [name, value] of Object.entries(own)) {
      if (!Object.hasOwn(TEXTS[known], name)) refuse(`the unknown text ${language}.${name}`);
      if (typeof value !== 'string') refuse(`${language}.${name}, which is no text`);
    }
    texts[known] = { ...TEXTS[known], ...own };
  }
  return texts;
}

function parseJson(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
