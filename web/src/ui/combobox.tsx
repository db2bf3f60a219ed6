import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useTongue } from '../words/tongue';
import { Field } from './field';

export interface Choice<Id extends string | number> {
  id: Id;
  title: string;
  note?: string;
}

interface Props<Id extends string | number> {
  label: string;
  value: Choice<Id> | null;
  choose: (choice: Choice<Id> | null) => void;
  /** What matches `text`; asked while one types. */
  search: (text: string, signal: AbortSignal) => Promise<readonly Choice<Id>[]>;
  hint?: string;
  flaw?: string;
  required?: boolean;
  wide?: boolean;
}

const TYPING_MS = 150;

/** Chooses one of many by searching, as in the ARIA pattern "combobox with list autocomplete". */
export function Combobox<Id extends string | number>({ label, value, choose, search, ...frame }: Props<Id>) {
  const { say } = useTongue();
  const list = useId();
  const [text, setText] = useState(value?.title ?? '');
  const [choices, setChoices] = useState<readonly Choice<Id>[] | null>(null);
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const asking = useRef<AbortController | null>(null);
  const wait = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setText(value?.title ?? ''), [value?.id]);
  useEffect(
    () => () => {
      clearTimeout(wait.current);
      asking.current?.abort();
    },
    [],
  );

  const ask = (said: string) => {
    asking.current?.abort();
    const aborter = (asking.current = new AbortController());
    search(said, aborter.signal).then(
      (found) => {
        if (aborter.signal.aborted) return;
        setChoices(found);
        setAt(0);
      },
      () => !aborter.signal.aborted && setChoices([]),
    );
  };
  const open = (said: string, afterMs: number) => {
    setOpen(true);
    clearTimeout(wait.current);
    wait.current = setTimeout(() => ask(said), afterMs);
  };
  const take = (choice: Choice<Id> | null) => {
    choose(choice);
    setText(choice?.title ?? '');
    setOpen(false);
  };
  const leave = () => {
    setOpen(false);
    if (text.trim() === '' && value) choose(null);
    else setText(value?.title ?? '');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen) open(text === value?.title ? '' : text, 0);
      else if (choices?.length) setAt((at + (event.key === 'ArrowDown' ? 1 : -1) + choices.length) % choices.length);
    } else if (event.key === 'Enter' && isOpen) {
      event.preventDefault();
      const choice = choices?.[at];
      if (choice) take(choice);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      leave();
    }
  };
  return (
    <Field label={label} {...frame}>
      {(tied) => (
        <span class="combobox">
          <input
            {...tied}
            role="combobox"
            aria-expanded={isOpen}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={isOpen && choices?.[at] ? `${list}-${at}` : undefined}
            autocomplete="off"
            spellcheck={false}
            value={text}
            onFocus={(event) => event.currentTarget.select()}
            onClick={() => !isOpen && open(text === value?.title ? '' : text, 0)}
            onInput={(event) => {
              setText(event.currentTarget.value);
              open(event.currentTarget.value, TYPING_MS);
            }}
            onKeyDown={onKeyDown}
            onBlur={leave}
          />
          <ul role="listbox" id={list} aria-label={label} hidden={!isOpen || choices === null}>
            {choices?.map((choice, index) => (
              <li
                role="option"
                id={`${list}-${index}`}
                key={choice.id}
                aria-selected={index === at}
                // Before the blur of the input, which would close the list under the pointer.
                onPointerDown={(event) => {
                  event.preventDefault();
                  take(choice);
                }}
              >
                {choice.title}
                {choice.note && <span class="quiet small">{choice.note}</span>}
              </li>
            ))}
            {choices?.length === 0 && <li class="quiet">{say('combobox.nothing')}</li>}
          </ul>
        </span>
      )}
    </Field>
  );
}
