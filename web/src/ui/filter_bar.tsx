/** Filters of a list. They live in the query string: a link to the list carries them. */

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useQuery } from '../app/router';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import { Icon } from './icon';

const TYPING_MS = 200;

/** The filters in the query string by `names`, whether one is set, and how to clear them. */
export function useFilters<Name extends string>(...names: Name[]): {
  values: Record<Name, string | undefined>;
  is: boolean;
  clear: () => void;
} {
  const [query, setQuery] = useQuery();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? undefined]));
  return {
    values: values as Record<Name, string | undefined>,
    is: names.some((name) => query.has(name)),
    clear: () => setQuery(Object.fromEntries(names.map((name) => [name, null]))),
  };
}

export function FilterBar({ filtered, children }: { filtered?: { is: boolean; clear: () => void }; children: ComponentChildren }) {
  const { say } = useTongue();
  return (
    <form class="filter-bar" role="search" onSubmit={(event) => event.preventDefault()}>
      {children}
      {filtered?.is && (
        <Button kind="bare" onClick={filtered.clear}>
          {say('table.clear')}
        </Button>
      )}
    </form>
  );
}

/** Searches while one types; `/` leads to it. */
export function SearchFilter({ name = 'q', hint }: { name?: string; hint: string }) {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const told = query.get(name) ?? '';
  const [text, setText] = useState(told);
  const wait = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef(told);
  useEffect(() => {
    // Somebody else has changed it: a link, the way back, "clear the filters".
    if (told !== asked.current) {
      asked.current = told;
      setText(told);
    }
  }, [told]);
  useEffect(() => () => clearTimeout(wait.current), []);
  const ask = (value: string) => {
    clearTimeout(wait.current);
    asked.current = value.trim();
    setQuery({ [name]: value.trim() || null });
  };
  const type = (value: string) => {
    setText(value);
    clearTimeout(wait.current);
    wait.current = setTimeout(() => ask(value), TYPING_MS);
  };
  return (
    <label class="search-filter">
      <Icon name="search" />
      <span class="unseen">{say('filter.search')}</span>
      <input
        type="search"
        data-search
        value={text}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && ask(event.currentTarget.value)}
      />
    </label>
  );
}

interface SelectProps {
  name: string;
  label: string;
  options: readonly { value: string; title: string }[];
  /** What is meant without a choice; "All" without it. */
  all?: string;
}

export function SelectFilter({ name, label, options, all }: SelectProps) {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const id = useId();
  return (
    <span class="select-filter">
      <label for={id}>{label}</label>
      <select id={id} value={query.get(name) ?? ''} onChange={(event) => setQuery({ [name]: event.currentTarget.value || null })}>
        <option value="">{all ?? say('filter.all')}</option>
        {options.map(({ value, title }) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </span>
  );
}
