import type { PatternView } from '../../api/types';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { CopyButton } from '../../ui/copy_button';
import { Empty } from '../../ui/empty';
import { FilterBar, SelectFilter, useFilters } from '../../ui/filter_bar';
import { oneOf } from '../../ui/one_of';
import { useTongue } from '../../words/tongue';
import { statementHref } from './statements_panel';
import { Sql } from './sql';
import { useTicking } from './ticking';
import { useWriting } from './writing';

export const KINDS = ['n-plus-one', 'write-loop', 'chatty-request', 'unused-eager-load', 'cartesian-join', 'unbounded-select', 'over-budget'] as const;

/** Habits of asking that cost more than they must: where in the source, how much, and what mends them. */
export function PatternsPanel({ only }: { only?: (pattern: PatternView) => boolean }) {
  const { say } = useTongue();
  const filters = useFilters('kind');
  const kind = oneOf(['', ...KINDS], filters.values.kind, '');
  const answer = useTicking('/api/diagnostics/patterns', { query: { limit: 100, ...(kind && !only ? { kind: [kind] } : {}) } }, 10_000);
  return (
    <div class="section">
      {!only && (
        <FilterBar filtered={filters}>
          <SelectFilter name="kind" label={say('insight.pattern.kind')} options={KINDS.map((value) => ({ value, title: say(`insight.pattern.${value}`) }))} />
        </FilterBar>
      )}
      <AnswerView answer={answer}>
        {({ data }) => {
          const shown = only ? data.filter(only) : data;
          if (shown.length > 0) return shown.map((pattern) => <Pattern key={pattern.id} pattern={pattern} />);
          if (only) return <p class="quiet">{say('insight.no_patterns')}</p>;
          return filters.is ? (
            <Empty icon="search" text={say('table.no_match')}>
              <Button onClick={filters.clear}>{say('table.clear')}</Button>
            </Empty>
          ) : (
            <Empty icon="check" text={say('insight.no_patterns')} />
          );
        }}
      </AnswerView>
    </div>
  );
}

function Pattern({ pattern }: { pattern: PatternView }) {
  const { say, count, list, moment } = useTongue();
  const { took } = useWriting();
  const { line, remedy } = pattern;
  return (
    <article class="card insight-pattern">
      <header>
        <Badge tone={pattern.pattern === 'n-plus-one' || pattern.pattern === 'over-budget' ? 'late' : 'warn'}>{say(`insight.pattern.${pattern.pattern}`)}</Badge>
        {pattern.subject && <strong class="mono">{pattern.subject}</strong>}
        <span class="quiet small">{say('insight.pattern.seen', { count: pattern.times, worst: count(pattern.worst), last: moment(new Date(pattern.lastSeen)) })}</span>
      </header>
      {line && (
        <p class="insight-line">
          <span class="quiet">{say('insight.line')}</span> <code>{line}</code>
          <CopyButton text={line.split(' in ')[0] ?? line} />
        </p>
      )}
      {pattern.callers.length > 0 && <p class="quiet small mono">{pattern.callers.join('  ←  ')}</p>}
      {pattern.statement && <Sql text={pattern.statement} />}
      <p class="insight-remedy" lang="en">
        <strong>{say('insight.remedy')}</strong> {remedy}
      </p>
      <footer class="quiet small">
        <span>{say('insight.pattern.cost', { total: took(pattern.totalMs), saved: took(pattern.savedMs) })}</span>
        {pattern.routes.length > 0 && <span class="mono">{list(pattern.routes)}</span>}
        {pattern.fingerprint && <a href={statementHref(pattern.fingerprint)}>{say('insight.to_statement')}</a>}
      </footer>
    </article>
  );
}
