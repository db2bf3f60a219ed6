/** Light, dark, or as the system has it. */

import { recall, remember } from './preferences';

export type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function preferredTheme(): Theme {
  const remembered = recall('theme') as Theme;
  return THEMES.includes(remembered) ? remembered : 'system';
}

export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
}

/** Let `theme` rule the page from now on, and at the next visit. */
export function applyTheme(theme: Theme): void {
  remember('theme', theme === 'system' ? null : theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
