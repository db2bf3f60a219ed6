import { useState } from 'preact/hooks';
import type { InvalidationDocument } from '../../api/types';
import { useChangedRows } from '../../live/changed';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Empty } from '../../ui/empty';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { useTongue } from '../../words/tongue';
import { matching } from './routes_panel';
import { useTicking } from './ticking';

const TICK_MS = 3_000;
const DROPS_SHOWN = 20;

/** The newest commits and invalidations: who, by which statements, what they dropped, and how much needlessly. */
export function Drops() {
  const { say } = useTongue();
  const [most, setMost] = useState(DROPS_SHOWN);
  const filters = useFilters('q');
  const answer = useTicking('/api/cache/invalidations', { query: { limit: 100 } }, TICK_MS);
  const all = answer.body?.invalidations ?? [];
  const keyOf = (one: InvalidationDocument) => `${one.at} ${one.cause}`;
  const marked = useChangedRows(all, keyOf, '', answer.phase === 'ready');
  return (
    <div class="section">
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.cache.drop_search')} />
      </FilterBar>
      <AnswerView answer={answer}>
        {({ invalidations }) => {
          const rows = matching(invalidations, filters.values.q, (row) => `${row.cause} ${row.user ?? ''} ${row.relations.join(' ')} ${row.statements.join(' ')}`);
          if (rows.length === 0) return <Empty icon={filters.is ? 'search' : 'info'} text={say(filters.is ? 'table.no_match' : 'insight.cache.no_drops')} />;
          return (
            <ul class="insight-alerts">
              {rows.slice(0, most).map((row, index) => (
                <Drop key={`${keyOf(row)} ${index}`} drop={row} isNew={marked.has(keyOf(row))} />
              ))}
              {rows.length > most && (
                <li class="insight-acts">
                  <Button onClick={() => setMost(most + DROPS_SHOWN)}>{say('table.more')}</Button>
                </li>
              )}
            </ul>
          );
        }}
      </AnswerView>
    </div>
  );
}

function Drop({ drop, isNew }: { drop: InvalidationDocument; isNew: boolean }) {
  const { say, time, list } = useTongue();
  return (
    <li class="card insight-alert" data-changed={isNew ? '' : undefined}>
      <p class="insight-alert-head">
        <Badge tone={drop.dropped ? 'active' : 'plain'}>{say('insight.cache.dropped_count', { count: drop.dropped })}</Badge>
        {drop.needless > 0 && <Badge tone="warn">{say('insight.cache.needless_count', { count: drop.needless })}</Badge>}
        <strong class="mono">{drop.cause}</strong>
        <span class="quiet small">
          <time dateTime={drop.at}>{time(new Date(drop.at))}</time>
          {drop.user && ` · ${drop.user}`}
        </span>
      </p>
      <p class="small">
        <span class="quiet">{say('insight.cache.wrote')}</span> {list(drop.relations.map((one) => one.replace(/^main:/, '')))}
      </p>
      {Object.keys(drop.routes).length > 0 && (
        <p class="small mono">
          {Object.entries(drop.routes)
            .map(([route, times]) => `${route} × ${times}`)
            .join('   ')}
        </p>
      )}
      {drop.statements.length > 0 && (
        <details>
          <summary class="quiet small">{say('insight.cache.statements', { count: drop.statements.length })}</summary>
          {drop.statements.map((text, index) => (
            <p key={index} class="insight-code small">
              {text}
            </p>
          ))}
        </details>
      )}
    </li>
  );
}
