/** The language in force, for every component. */

import { computed, signal } from '@preact/signals';
import { preferredLanguage, rememberLanguage, tongueOf, type Tongue } from './language';
import type { Language } from './phrases';

export const language = signal<Language>(preferredLanguage());
export const tongue = computed<Tongue>(() => tongueOf(language.value));

/** Words and figures in the language in force; a component that uses it is drawn again when that changes. */
export const useTongue = (): Tongue => tongue.value;

/** Let `chosen` be the language from now on, and at the next visit. */
export function chooseLanguage(chosen: Language): void {
  rememberLanguage(chosen);
  language.value = chosen;
}
