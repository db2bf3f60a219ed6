/** Light, dark, or as the system has it. */

import { signal } from '@preact/signals';
import { recall, remember } from './preferences';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

function preferredTheme(): Theme {
  const remembered = recall('theme') as Theme;
  return THEMES.includes(remembered) ? remembered : 'system';
}

export const theme = signal<Theme>(preferredTheme());

/** Let `chosen` rule the page from now on, and at the next visit. */
export function applyTheme(chosen: Theme): void {
  remember('theme', chosen === 'system' ? null : chosen);
  theme.value = chosen;
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}
