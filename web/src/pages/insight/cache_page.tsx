import './insight.css';
import { useEffect } from 'preact/hooks';
import type { CacheEntryDocument, CachedRouteDocument, CacheStatsDocument } from '../../api/types';
import { useQuery } from '../../app/router';
import { may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { LiveNumber } from '../../ui/live_number';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import { Progress } from '../../ui/progress';
import { Tabs } from '../../ui/tabs';
import '../../words/insight';
import '../../words/rooms';
import { useTongue } from '../../words/tongue';
import { CacheActs } from './cache_acts';
import { Drops } from './cache_drops';
import { OverTime } from './over_time';
import { Why } from './reasons';
import { matching } from './routes_panel';
import { keepSample, useSamples } from './samples';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { PauseButton } from './window_picker';
import { useWriting } from './writing';

const TABS = ['routes', 'keys', 'why', 'drops'] as const;
const TICK_MS = 3_000;

/** How the response cache does: what it gives, saves and holds, why it had to compute, and which commit dropped what. */
export default function CachePage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown = oneOf(TABS, query.get('tab') ?? undefined, 'routes');
  const answer = useTicking('/api/cache/stats', {}, TICK_MS);
  const stats = answer.body?.stats;
  useEffect(() => {
    if (stats) keepSample('cache', [stats.hits + stats.stale, stats.misses, stats.bypasses, stats.commits]);
  }, [stats]);
  return (
    <div class="page">
      <PageHeader
        title={say('nav.cache')}
        note={say('insight.cache.note')}
        actions={
          <>
            <PauseButton />
            {may('admin') && <CacheActs isWarming={stats?.warming?.running ?? false} done={answer.refresh} />}
          </>
        }
      />
      <AnswerView answer={answer}>
        {({ stats: now }) => (
          <>
            <Figures stats={now} />
            <Charts />
            <Tabs tabs={TABS.map((id) => ({ id, title: say(`insight.cache.tab.${id}`) }))} shown={shown} show={(id) => setQuery({ tab: id === 'routes' ? null : id, sort: null, q: null, order: null })} label={say('nav.cache')}>
              {shown === 'routes' && <Routes routes={now.routes} />}
              {shown === 'keys' && <Keys />}
              {shown === 'why' && <Why stats={now} />}
              {shown === 'drops' && <Drops />}
            </Tabs>
          </>
        )}
      </AnswerView>
    </div>
  );
}

function Figures({ stats }: { stats: CacheStatsDocument }) {
  const { say, count, percent, bytes } = useTongue();
  const { took } = useWriting();
  return (
    <div class="insight-tiles">
      <Tile figure="hit-rate" title={say('insight.cache.hit_rate')} value={percent(stats.hitRate)} tone={stats.hitRate > 0.5 ? 'good' : 'plain'} note={say('insight.cache.hits', { number: count(stats.hits) })} />
      <Tile figure="saved" title={say('insight.cache.saved_time')} value={took(stats.savedMs)} note={say('insight.cache.not_computed')} />
      <Tile figure="served" title={say('insight.cache.served')} value={bytes(stats.bytesServed)} note={say('insight.cache.not_modified', { number: count(stats.notModified) })} />
      <Tile
        figure="entries"
        title={say('insight.cache.held')}
        value={<LiveNumber value={stats.entries} write={count} />}
        note={
          <>
            <Progress label={say('insight.cache.budget')} done={stats.bytes} total={stats.budgetBytes} />
            {say('insight.cache.of', { held: bytes(stats.bytes), budget: bytes(stats.budgetBytes) })}
          </>
        }
      />
      <Tile figure="dropped" title={say('insight.cache.dropped')} value={count(stats.invalidated)} note={`${say('insight.cache.commits', { number: count(stats.commits) })}; ${say('insight.cache.renewed', { number: count(stats.renewed) })}`} />
      <Tile figure="needless" title={say('insight.cache.needless')} value={count(stats.needless)} tone={stats.needless > stats.invalidated / 2 && stats.needless > 20 ? 'warn' : 'plain'} note={say('insight.cache.needless.why')} />
    </div>
  );
}

function Charts() {
  const { say, percent } = useTongue();
  const { rate } = useWriting();
  const samples = useSamples('cache');
  if (samples.times.length < 2) return null;
  const [hits = [], misses = [], bypasses = [], commits = []] = samples.rates;
  return (
    <div class="insight-charts">
      <OverTime
        title={say('insight.cache.answers')}
        times={samples.times}
        lines={[
          { title: say('insight.cache.given'), values: hits, isArea: true },
          { title: say('insight.cache.computed'), values: misses, colour: 2 },
          { title: say('insight.cache.bypassed'), values: bypasses, colour: 3 },
        ]}
        write={rate}
        sync="cache"
      />
      <OverTime title={say('insight.cache.hit_rate')} times={samples.times} lines={[{ title: say('insight.cache.hit_rate'), values: hits.map((hit, at) => share(hit, misses[at])) }]} write={percent} sync="cache" />
      <OverTime title={say('insight.cache.commits_second')} times={samples.times} lines={[{ title: say('insight.cache.commits_word'), values: commits, colour: 4 }]} write={rate} sync="cache" />
    </div>
  );
}

function share(hit: number | null, miss: number | null | undefined): number | null {
  const all = (hit ?? 0) + (miss ?? 0);
  return all ? (hit ?? 0) / all : null;
}

function Routes({ routes }: { routes: readonly CachedRouteDocument[] }) {
  const { say, count, percent, bytes } = useTongue();
  const { took } = useWriting();
  const filters = useFilters('q');
  const columns: FigureColumn<CachedRouteDocument>[] = [
    { id: 'route', title: say('nav.route'), isMain: true, cell: (row) => <span class="mono">{row.route}</span>, value: (row) => row.route },
    { id: 'rate', title: say('insight.cache.hit_rate'), align: 'end', cell: (row) => <Share value={row.hitRate} text={percent(row.hitRate)} />, value: (row) => row.hitRate },
    { id: 'hits', title: say('insight.cache.hits_word'), align: 'end', cell: (row) => count(row.hits + row.stale), value: (row) => row.hits + row.stale },
    { id: 'misses', title: say('insight.cache.misses'), align: 'end', cell: (row) => count(row.misses), value: (row) => row.misses },
    { id: 'saved', title: say('insight.cache.saved_time'), align: 'end', cell: (row) => took(row.savedMs), value: (row) => row.savedMs },
    { id: 'served', title: say('insight.cache.served'), align: 'end', isExtra: true, cell: (row) => bytes(row.bytesServed), value: (row) => row.bytesServed },
    { id: 'dropped', title: say('insight.cache.dropped'), align: 'end', cell: (row) => count(row.dropped), value: (row) => row.dropped },
    { id: 'needless', title: say('insight.cache.needless'), align: 'end', isExtra: true, cell: (row) => count(row.needless), value: (row) => row.needless },
    {
      id: 'state',
      title: say('insight.cache.state'),
      cell: (row) => (row.resting ? <Badge tone="warn">{say(row.leaks ? 'insight.cache.not_same' : 'insight.cache.rests')}</Badge> : <Badge tone="good">{say('insight.cache.keeps')}</Badge>),
      value: (row) => row.resting ?? '',
    },
  ];
  return (
    <div class="section">
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.cache.route_search')} />
      </FilterBar>
      <FiguresTable label={say('insight.cache.tab.routes')} rows={matching(routes, filters.values.q, (row) => row.route)} columns={columns} rowKey={(row) => row.route} defaultSort="-hits" exportAs="cached-routes" empty={say('insight.cache.empty')} isFiltered={filters.is} />
    </div>
  );
}

function Share({ value, text }: { value: number; text: string }) {
  return (
    <span class="insight-share">
      <span>{text}</span>
      <progress aria-hidden="true" max={1} value={value} />
    </span>
  );
}

function Keys() {
  const { say, count, bytes } = useTongue();
  const { took } = useWriting();
  const filters = useFilters('q');
  const answer = useTicking('/api/cache/entries', { query: { limit: 300, order: 'hits' } }, TICK_MS);
  const columns: FigureColumn<CacheEntryDocument>[] = [
    {
      id: 'key',
      title: say('insight.cache.key'),
      isMain: true,
      cell: (row) => (
        <span class="insight-statement">
          <span class="mono">{row.key.replace(/^[^/]*/, '')}</span>
          <span class="quiet small">{row.reads.map((read) => read.replace(/^main:/, '')).join(', ')}</span>
        </span>
      ),
      value: (row) => row.key,
    },
    { id: 'variant', title: say('insight.cache.variant'), isExtra: true, cell: (row) => row.variant || say('insight.cache.shared'), value: (row) => row.variant },
    { id: 'hits', title: say('insight.cache.hits_word'), align: 'end', cell: (row) => count(row.hits), value: (row) => row.hits },
    { id: 'saved', title: say('insight.cache.saved_time'), align: 'end', cell: (row) => took(row.savedMs), value: (row) => row.savedMs },
    { id: 'cost', title: say('insight.cache.cost'), align: 'end', isExtra: true, cell: (row) => took(row.costMs), value: (row) => row.costMs },
    { id: 'bytes', title: say('insight.cache.size'), align: 'end', cell: (row) => bytes(row.bytes), value: (row) => row.bytes },
    { id: 'age', title: say('insight.cache.age'), align: 'end', isExtra: true, cell: (row) => took(row.ageSeconds * 1000), value: (row) => row.ageSeconds },
    { id: 'ttl', title: say('insight.cache.ttl'), align: 'end', isExtra: true, cell: (row) => took(row.ttlSeconds * 1000), value: (row) => row.ttlSeconds },
  ];
  return (
    <div class="section">
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.cache.key_search')} />
      </FilterBar>
      <AnswerView answer={answer}>
        {({ entries }) => (
          <FiguresTable label={say('insight.cache.tab.keys')} rows={matching(entries, filters.values.q, (row) => `${row.key} ${row.reads.join(' ')}`)} columns={columns} rowKey={(row) => `${row.key} ${row.variant}`} defaultSort="-hits" exportAs="cache-keys" empty={say('insight.cache.empty')} isFiltered={filters.is} />
        )}
      </AnswerView>
    </div>
  );
}
