import { useEffect, useRef, useState } from 'preact/hooks';
import type { Hit } from '../../api/types';
import { go, useQuery } from '../../app/router';
import { useListing } from '../../live/use_answer';
import { Button } from '../../ui/button';
import { Emoji } from '../../ui/emoji';
import { Empty } from '../../ui/empty';
import { Icon } from '../../ui/icon';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import { useTongue } from '../../words/tongue';
import { functionAddress } from './function_address';
import { KIND_ICONS } from './kind_icons';
import { matchedParts } from './marked';

const TYPING_MS = 80;

/** Finds functions while one types; arrows go through the hits, Enter jumps there. */
export function FunctionSearch() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const told = query.get('q') ?? '';
  const [text, setText] = useState(told);
  const wait = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef(told);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (told === asked.current) return;
    asked.current = told;
    setText(told);
  }, [told]);
  useEffect(() => () => clearTimeout(wait.current), []);
  const ask = (value: string) => {
    asked.current = value.trim();
    setQuery({ q: value.trim() || null });
  };
  const move = (event: KeyboardEvent) => {
    const links = [...(place.current?.querySelectorAll<HTMLElement>('.hit') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (event.key === 'Escape' && text) {
      event.preventDefault();
      setText('');
      ask('');
      place.current?.querySelector<HTMLElement>('input')?.focus();
    } else if (event.key === 'ArrowDown' && links.length > 0) {
      event.preventDefault();
      links[Math.min(links.length - 1, at + 1)]?.focus();
    } else if (event.key === 'ArrowUp' && at >= 0) {
      event.preventDefault();
      if (at === 0) place.current?.querySelector<HTMLElement>('input')?.focus();
      else links[at - 1]?.focus();
    } else if (event.key === 'Enter' && at < 0) {
      event.preventDefault();
      clearTimeout(wait.current);
      if (text.trim() === asked.current) links[0]?.click();
      else ask(text);
    }
  };
  return (
    <div class="function-search" ref={place} onKeyDown={move}>
      <label class="search-filter">
        <Icon name="search" />
        <span class="unseen">{say('functions.search')}</span>
        <input
          type="search"
          data-search
          value={text}
          placeholder={say('functions.search')}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            const { value } = event.currentTarget;
            setText(value);
            clearTimeout(wait.current);
            wait.current = setTimeout(() => ask(value), TYPING_MS);
          }}
        />
      </label>
      {told.trim() !== '' && <Hits q={told.trim()} />}
    </div>
  );
}

function Hits({ q }: { q: string }) {
  const { say, count } = useTongue();
  const list = useListing('/api/functions/search', { query: { q, limit: 40 } });
  // What the words before found stays until there is something for these.
  const kept = useRef<{ q: string; rows: readonly Hit[] }>({ q, rows: [] });
  if (list.phase !== 'loading') kept.current = { q, rows: list.rows };
  const { rows } = kept.current;
  if (list.problem && rows.length === 0) return <ProblemNote problem={list.problem} retry={list.refresh} />;
  if (rows.length === 0) {
    return list.phase === 'loading' ? <Skeleton lines={6} /> : <Empty icon="search" text={say('functions.no_hit', { text: q })} />;
  }
  return (
    <div class="hits">
      <p class="quiet small" role="status">
        {say('functions.hits', { count: list.total ?? rows.length, number: count(list.total ?? rows.length) })}
      </p>
      <ul>
        {rows.map((hit) => (
          <li key={hit.id}>
            <a
              class="hit"
              href={functionAddress(hit.id)}
              onClick={(event) => {
                // The link without the words of the search: the tree stands open at it.
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                go(functionAddress(hit.id));
              }}
            >
              <Emoji class="twig-icon" text={hit.icon} instead={KIND_ICONS[hit.kind]} />
              <span class="hit-text">
                <span>
                  <Marked text={hit.title} q={kept.current.q} />
                </span>
                <span class="quiet small">{hit.trail.map((step) => step.title).join(' › ')}</span>
                {hit.description && !isMarked(hit.title, kept.current.q) && (
                  <span class="quiet small">
                    <Marked text={hit.description} q={kept.current.q} />
                  </span>
                )}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {list.more && (
        <Button busy={list.isLoadingMore} onClick={list.more}>
          {say('table.more')}
        </Button>
      )}
    </div>
  );
}

function isMarked(text: string, q: string): boolean {
  return matchedParts(text, q).some((part) => part.isMatch);
}

function Marked({ text, q }: { text: string; q: string }) {
  return (
    <>
      {matchedParts(text, q).map((part, index) => (part.isMatch ? <mark key={index}>{part.text}</mark> : part.text))}
    </>
  );
}
