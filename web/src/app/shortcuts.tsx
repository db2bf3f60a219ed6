/** Keys that work on every page. */

import { useEffect } from 'preact/hooks';
import { Dialog } from '../ui/dialog';
import type { Phrase } from '../words';
import { useTongue } from '../words/tongue';
import { areShortcutsShown, openPalette, showShortcuts } from './overlays';

const SHORTCUTS: readonly { keys: readonly string[]; does: Phrase }[] = [
  { keys: ['Ctrl', 'K'], does: 'shortcuts.palette' },
  { keys: ['/'], does: 'shortcuts.search' },
  { keys: ['↑', '↓'], does: 'shortcuts.rows' },
  { keys: ['Home', 'End'], does: 'shortcuts.ends' },
  { keys: ['Enter'], does: 'shortcuts.open' },
  { keys: ['Ctrl', 'Enter'], does: 'shortcuts.save' },
  { keys: ['Esc'], does: 'shortcuts.close' },
  { keys: ['?'], does: 'shortcuts.help' },
];

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openPalette();
      } else if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      } else if (event.key === '?') {
        showShortcuts();
      } else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-search]');
        if (!search) return;
        event.preventDefault();
        search.focus();
        search.select();
      } else if (event.key === 'ArrowDown' && document.activeElement?.matches('body, h1, #content')) {
        document.querySelector<HTMLElement>('a.row-link')?.focus();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

export function ShortcutsPlace() {
  const { say } = useTongue();
  if (!areShortcutsShown.value) return null;
  return (
    <Dialog title={say('shortcuts.title')} onClose={() => (areShortcutsShown.value = false)}>
      <dl class="shortcuts">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{say(does)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
