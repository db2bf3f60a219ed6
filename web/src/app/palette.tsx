/** The command palette: pages, actions and records by a few letters, without a hand on the mouse. */

import { Fragment } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useUser } from '../session/current';
import { Icon, type IconName } from '../ui/icon';
import { useTongue } from '../words/tongue';
import { ACTIONS } from './actions';
import { FINDERS, type Found } from './finders';
import { matches } from './letters';
import { isPaletteOpen } from './overlays';
import { PAGES } from './pages';
import { go } from './router';

const TYPING_MS = 120;
const LEAST_LETTERS = 2;

interface Entry {
  key: string;
  group: string;
  icon: IconName;
  title: string;
  note?: string;
  run: () => void;
}

export function PalettePlace() {
  return isPaletteOpen.value ? <Palette close={() => (isPaletteOpen.value = false)} /> : null;
}

function Palette({ close }: { close: () => void }) {
  const { say } = useTongue();
  const { role } = useUser();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const { found, isSearching } = useFinders(text.trim());
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useId();
  // Before the next key: who knows the shortcut types on at once.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const may = (roles?: readonly string[]) => !roles || roles.includes(role);
  const pages: Entry[] = PAGES.filter((page) => page.icon && may(page.roles)).map((page) => ({
    key: page.path,
    group: say('palette.pages'),
    icon: page.icon ?? 'right',
    title: say(page.title),
    note: say(`nav.group.${page.group}`),
    run: () => go(page.path),
  }));
  const actions: Entry[] = ACTIONS.filter((action) => may(action.roles)).map((action) => ({
    key: action.title,
    group: say('palette.actions'),
    icon: action.icon,
    title: say(action.title),
    run: action.run,
  }));
  const entries = [...[...pages, ...actions].filter((entry) => matches(text, entry.title)), ...found];
  const chosen = Math.min(at, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    // The palette is gone with the next frame; what it leads to may take longer to draw.
    requestAnimationFrame(() => setTimeout(entry.run));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    if (to !== undefined && entries.length > 0) {
      event.preventDefault();
      const next = (to + entries.length) % entries.length;
      setAt(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(entries[chosen]);
    }
  };
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label={say('palette.title')}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onPointerDown={(event) => event.target === dialog.current && close()}
    >
      <div class="palette-inside">
        <label class="palette-input">
          <Icon name="search" />
          <span class="unseen">{say('palette.title')}</span>
          <input
            autofocus
            role="combobox"
            aria-expanded="true"
            aria-controls={list}
            aria-activedescendant={entries.length > 0 ? `${list}-${chosen}` : undefined}
            autocomplete="off"
            spellcheck={false}
            placeholder={say('palette.hint')}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={onKeyDown}
          />
        </label>
        <ul id={list} role="listbox" aria-label={say('palette.title')}>
          {entries.map((entry, index) => (
            <Fragment key={entry.key}>
              {entry.group !== entries[index - 1]?.group && (
                <li role="presentation" class="palette-group">
                  {entry.group}
                </li>
              )}
              <li
                role="option"
                id={`${list}-${index}`}
                aria-selected={index === chosen}
                onPointerMove={() => index !== chosen && setAt(index)}
                onClick={() => run(entry)}
              >
                <Icon name={entry.icon} />
                <span>{entry.title}</span>
                {entry.note && <span class="quiet small">{entry.note}</span>}
              </li>
            </Fragment>
          ))}
        </ul>
        <p class="palette-foot quiet small" role="status">
          {isSearching ? say('palette.searching') : entries.length === 0 ? say('palette.nothing', { text }) : ''}
        </p>
      </div>
    </dialog>
  );
}

/** What the finders have for `text`, as they answer; one that fails finds nothing. */
function useFinders(text: string): { found: Entry[]; isSearching: boolean } {
  const { say } = useTongue();
  const [answer, setAnswer] = useState<{ text: string; found: readonly (readonly Found[])[] }>({ text: '', found: [] });
  const isWanted = text.length >= LEAST_LETTERS;
  useEffect(() => {
    if (!isWanted) return;
    const aborter = new AbortController();
    const wait = setTimeout(async () => {
      const all = await Promise.allSettled(FINDERS.map((finder) => finder.find(text, aborter.signal)));
      if (aborter.signal.aborted) return;
      setAnswer({ text, found: all.map((one) => (one.status === 'fulfilled' ? one.value : [])) });
    }, TYPING_MS);
    return () => {
      clearTimeout(wait);
      aborter.abort();
    };
  }, [text, isWanted]);
  const found = FINDERS.flatMap((finder, index) =>
    (answer.found[index] ?? []).map((one) => ({
      key: one.to,
      group: say(finder.title),
      icon: finder.icon,
      title: one.title,
      note: one.note,
      run: () => go(one.to),
    })),
  );
  return { found: isWanted ? found : [], isSearching: isWanted && answer.text !== text };
}
