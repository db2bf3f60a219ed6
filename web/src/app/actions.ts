/** What the command palette can do beside opening pages, one a line. */

import type { Role } from '../api/types';
import { applyTheme, theme } from '../session/theme';
import type { IconName } from '../ui/icon';
import type { Phrase } from '../words';
import { chooseLanguage, language } from '../words/tongue';
import { CLERKS, MANAGERS } from './pages';
import { go } from './router';
import { showShortcuts } from './overlays';

export interface Action {
  title: Phrase;
  icon: IconName;
  roles?: readonly Role[];
  run: () => void;
}

const isDark = () => theme.peek() === 'dark' || (theme.peek() === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);

export const ACTIONS: readonly Action[] = [
  { title: 'action.new_customer', icon: 'plus', roles: CLERKS, run: () => go('/customers/new') },
  { title: 'action.new_invoice', icon: 'plus', roles: CLERKS, run: () => go('/invoices/new') },
  { title: 'action.new_entry', icon: 'plus', roles: MANAGERS, run: () => go('/journal/new') },
  { title: 'nav.jobs.new', icon: 'play', roles: CLERKS, run: () => go('/jobs/new') },
  { title: 'action.theme', icon: 'moon', run: () => applyTheme(isDark() ? 'light' : 'dark') },
  { title: 'action.language', icon: 'profile', run: () => chooseLanguage(language.peek() === 'en' ? 'de' : 'en') },
  { title: 'action.print', icon: 'print', run: () => print() },
  { title: 'action.shortcuts', icon: 'keyboard', run: showShortcuts },
];
