/** Terminal output with our colours as an SVG picture. Pure; knows no command. */

const COLOURS: Readonly<Record<string, string>> = {
  '31': '#f7768e',
  '32': '#9ece6a',
  '33': '#e0af68',
  '36': '#7dcfff',
  '2': '#737aa2',
};
const BOLD = '1';
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 18;
const MARGIN = 16;
const SEQUENCE = /\u001b\[([0-9]+)m/;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Alternating text and colour numbers become spans; a reset ends the one before. */
function spans(line: string): string {
  const [first = '', ...rest] = line.split(SEQUENCE);
  let svg = escaped(first);
  for (let index = 0; index < rest.length; index += 2) {
    const [code = '', text = ''] = [rest[index], rest[index + 1]];
    if (text === '') continue;
    const style = code === BOLD ? 'font-weight="bold"' : `fill="${COLOURS[code] ?? 'inherit'}"`;
    svg += code === '0' ? escaped(text) : `<tspan ${style}>${escaped(text)}</tspan>`;
  }
  return svg;
}

/** One picture of the lines, as wide as the widest. */
export function terminalSvg(lines: readonly string[]): string {
  const plain = lines.map((line) => line.replace(new RegExp(SEQUENCE, 'g'), ''));
  const columns = Math.max(...plain.map((line) => line.length));
  const width = Math.ceil(columns * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="6" fill="#1a1b26"/>`,
    `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#c0caf5" xml:space="preserve">`,
    ...lines.map(
      (line, index) =>
        `<text x="${MARGIN}" y="${MARGIN + (index + 0.75) * LINE_HEIGHT}" textLength="${Math.max(1, (plain[index] ?? '').length) * CHARACTER_WIDTH}">${spans(line)}</text>`,
    ),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}
