/** Elements out of values. The only way this page makes markup: text is always text. */

type Child = Node | string | number | null;
type Handler = (event: Event) => void;
export type Props = Readonly<Record<string, string | number | boolean | Handler | undefined>>;

/** Attributes by name; `on…` listens; false and undefined are left out, true is the bare attribute. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(
    ...children
      .filter((child) => child !== null)
      .map((child) => (child instanceof Node ? child : String(child))),
  );
  return element;
}

/** Writes only what differs: a screen reader and a selection are not disturbed by a value that stays. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The rows of a table body, kept by key: cells whose text stays are not touched, and focus stays where it is. */
export function updateRows<T>(
  body: HTMLElement,
  items: readonly T[],
  row: {
    readonly key: (item: T) => string;
    readonly make: (key: string) => HTMLTableRowElement;
    readonly fill: (row: HTMLTableRowElement, item: T) => void;
  },
): void {
  const known = new Map<string, HTMLTableRowElement>();
  for (const child of body.children) {
    if (child instanceof HTMLTableRowElement) known.set(child.dataset['key'] ?? '', child);
  }
  items.forEach((item, index) => {
    const key = row.key(item);
    const element = known.get(key) ?? row.make(key);
    known.delete(key);
    element.dataset['key'] = key;
    row.fill(element, item);
    if (body.children[index] !== element) body.insertBefore(element, body.children[index] ?? null);
  });
  for (const gone of known.values()) gone.remove();
}

/** Puts texts into the cells of a row, which are made when they are missing; the first may be a heading. */
export function fillCells(row: HTMLTableRowElement, texts: readonly string[], headings = 1): void {
  while (row.cells.length < texts.length) {
    const isHeading = row.cells.length < headings;
    row.append(isHeading ? h('th', { scope: 'row' }) : h('td'));
  }
  texts.forEach((text, index) => {
    const cell = row.cells[index];
    if (cell !== undefined) setText(cell, text);
  });
}
