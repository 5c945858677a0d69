/** Light, dark, or as the system says; remembered by this browser. Colours live in the style sheet alone. */
import { h, setText } from './element.js';

const KEY = 'bng-theme';
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const LABELS: Readonly<Record<Theme, string>> = {
  system: 'Theme: system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

const listeners = new Set<() => void>();
const colours = new Map<string, string>();

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === value) ?? 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  colours.clear();
  for (const listener of listeners) listener();
}

/** Calls `listener` whenever colours may have changed. */
export function onThemeChange(listener: () => void): void {
  listeners.add(listener);
}

/** A colour of the style sheet as it is now, for what is painted and not styled. */
export function colour(name: string): string {
  const known = colours.get(name);
  if (known !== undefined) return known;
  const probe = h('span', { hidden: true });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  colours.set(name, value);
  return value;
}

/** The button that goes from one theme to the next. */
export function themeButton(): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'quiet' }, LABELS[stored()]);
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(stored()) + 1) % THEMES.length] ?? 'system';
    localStorage.setItem(KEY, next);
    setText(button, LABELS[next]);
    apply(next);
  });
  return button;
}

/** To be called once, before anything is painted. */
export function startTheme(): void {
  apply(stored());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => apply(stored()));
}
