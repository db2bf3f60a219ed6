/** What lies over the page when it is asked for. */

import { signal } from '@preact/signals';

export const isPaletteOpen = signal(false);
export const areShortcutsShown = signal(false);

export function openPalette(): void {
  isPaletteOpen.value = true;
}

export function showShortcuts(): void {
  areShortcutsShown.value = true;
}
