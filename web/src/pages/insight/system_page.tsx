import './insight.css';
import type { ChoreView, ProcessView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { PageHeader } from '../../ui/page_header';
import '../../words/insight';
import '../../words/rooms';
import { useTongue } from '../../words/tongue';
import { perSecond, seriesOf } from './figures';
import { OverTime } from './over_time';
import { matching } from './routes_panel';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { PauseButton, useWindow, WindowPicker } from './window_picker';
import { useWriting } from './writing';

/** The process that answers: whether it can work, what it uses, what it waits for, and what it was told. */
export default function SystemPage() {
  const { say } = useTongue();
  const answer = useTicking('/api/system/process', {});
  const { release, commit } = answer.body?.data ?? {};
  return (
    <div class="page">
      <PageHeader
        title={say('nav.system')}
        note={release && `SteinmetZ ${release}${commit ? ` · ${commit.slice(0, 10)}` : ''}`}
        actions={
          <>
            <WindowPicker />
            <PauseButton />
          </>
        }
      />
      <Readiness />
      <AnswerView answer={answer}>
        {({ data }) => (
          <>
            <Figures process={data} />
            <Waits />
            <Facts process={data} />
          </>
        )}
      </AnswerView>
      <Chores />
      {answer.body && <Settings settings={answer.body.data.settings} />}
    </div>
  );
}

function Readiness() {
  const { say, knows } = useTongue();
  const answer = useTicking('/readyz', {}, 10_000);
  const failed = (answer.problem?.more as { checks?: unknown } | undefined)?.checks;
  const checks = answer.body?.checks ?? (typeof failed === 'object' && failed !== null ? (failed as Record<string, string>) : null);
  return (
    <section class="card insight-list">
      <div class="insight-head">
        <h2>{say('insight.system.readiness')}</h2>
        {checks && <Badge tone={answer.problem ? 'late' : 'good'}>{say(answer.problem ? 'insight.system.not_ready' : 'insight.system.ready')}</Badge>}
      </div>
      {checks ? (
        <ul class="insight-rooms insight-checks">
          {Object.entries(checks).map(([name, state]) => {
            const word = `insight.check.${name}`;
            const isFine = ['ok', 'off', 'not used'].includes(state);
            return (
              <li key={name} class="insight-check">
                <Badge tone={isFine ? 'good' : state.startsWith('warning') ? 'warn' : 'late'}>{knows(word) ? say(word) : name}</Badge>
                <span class="small" lang="en">
                  {state}
                </span>
              </li>
            );
          })}
        </ul>
      ) : (
        <AnswerView answer={answer}>{() => null}</AnswerView>
      )}
    </section>
  );
}

function Figures({ process }: { process: ProcessView }) {
  const { say, count, bytes, percent } = useTongue();
  const { took } = useWriting();
  const { memory, loopLag, database, requests } = process;
  return (
    <div class="insight-tiles">
      <Tile figure="memory" title={say('insight.system.memory')} value={memory.residentBytes === null ? '–' : bytes(memory.residentBytes)} note={memory.peakBytes !== null && say('insight.system.peak', { bytes: bytes(memory.peakBytes) })} />
      <Tile figure="cpu" title={say('insight.system.cpu')} value={percent(process.uptimeS ? process.cpuS / process.uptimeS : 0)} note={say('insight.system.cpu_note', { time: took(process.cpuS * 1000), cpus: process.cpus })} />
      <Tile figure="loop-lag" title={say('insight.system.loop_lag')} value={loopLag ? took(loopLag.p99) : '–'} note={loopLag && say('insight.system.longest', { time: took(loopLag.max) })} tone={loopLag && loopLag.p99 > 50 ? 'warn' : 'plain'} />
      <Tile figure="pool" title={say('insight.system.pool_wait')} value={database.wait ? took(database.wait.p99) : '–'} note={database.wait && say('insight.system.longest', { time: took(database.wait.max) })} />
      <Tile figure="database" title={say('insight.system.database_size')} value={database.sizeBytes === null ? '–' : bytes(database.sizeBytes)} note={`${database.engine} ${database.version}`} />
      <Tile figure="in-flight" title={say('insight.system.requests')} value={count(requests.total)} note={say('insight.system.in_flight', { number: count(requests.inFlight) })} />
    </div>
  );
}

function Waits() {
  const { say } = useTongue();
  const { took, rate } = useWriting();
  const window = useWindow();
  const lag = useTicking('/api/diagnostics/history', { query: { kind: 'timing', key: ['loop lag', 'pool wait'], window } });
  const history = lag.body?.data;
  if (!history) return null;
  const loop = seriesOf(history, 'loop lag');
  const pool = seriesOf(history, 'pool wait');
  return (
    <div class="insight-charts">
      <OverTime
        title={say('insight.system.loop_lag')}
        times={history.times}
        lines={[
          { title: 'p95', values: loop.p95, colour: 1 },
          { title: 'p99', values: loop.p99, colour: 4 },
        ]}
        write={took}
        sync="system"
      />
      <OverTime
        title={say('insight.system.pool_wait')}
        times={history.times}
        lines={[
          { title: 'p95', values: pool.p95, colour: 1 },
          { title: 'p99', values: pool.p99, colour: 4 },
        ]}
        write={took}
        sync="system"
      />
      <OverTime title={say('insight.system.checkouts')} times={history.times} lines={[{ title: say('insight.system.checkouts'), values: perSecond(history, pool), isArea: true, colour: 3 }]} write={rate} sync="system" />
    </div>
  );
}

function Facts({ process }: { process: ProcessView }) {
  const { say, count } = useTongue();
  const { took } = useWriting();
  const { database, redis, requests } = process;
  return (
    <div class="columns">
      <Details
        title={say('insight.system.process')}
        rows={[
          [say('insight.system.pid'), `${process.pid} @ ${process.host}`],
          [say('insight.system.started'), <Moment at={process.startedAt} />],
          [say('insight.uptime'), took(process.uptimeS * 1000)],
          [say('insight.system.workers'), count(process.workers)],
          [say('insight.system.threads'), count(process.threads)],
          [say('insight.system.platform'), process.platform],
        ]}
      />
      <Details
        title={say('insight.database')}
        rows={[
          [say('insight.system.engine'), `${database.engine} ${database.version}`],
          [say('insight.system.schema'), database.schemaRevision],
          ...database.pools.map((pool) => [say('insight.system.pool', { name: pool.database }), `${count(pool.inUse)} / ${count(pool.size)}`] as const),
          ['Redis', redis ? <Badge tone={redis.isReachable ? 'good' : 'late'}>{say(redis.isReachable ? 'insight.system.reachable' : 'insight.system.unreachable')}</Badge> : say('insight.system.no_redis')],
        ]}
      />
      <Details
        title={say('insight.system.answers')}
        rows={[...Object.entries(requests.byClass).map(([name, times]) => [name, count(times)] as const), [say('insight.system.limited'), count(requests.limited)] as const]}
      />
      <Details title={say('insight.system.versions')} rows={[['Python', process.python] as const, ...Object.entries(process.packages).map(([name, version]) => [name, version] as const)]} />
    </div>
  );
}

function Chores() {
  const { say, count } = useTongue();
  const { took } = useWriting();
  const answer = useAnswer('/api/system/chores');
  const columns: FigureColumn<ChoreView>[] = [
    { id: 'name', title: say('insight.system.chore'), isMain: true, cell: (row) => <span lang="en">{row.name}</span>, value: (row) => row.name },
    { id: 'when', title: say('insight.system.when'), isExtra: true, cell: (row) => <span lang="en">{row.when}</span>, value: (row) => row.when },
    { id: 'done', title: say('insight.system.done'), cell: (row) => <Moment at={row.doneAt} />, value: (row) => row.doneAt },
    { id: 'due', title: say('insight.system.due'), cell: (row) => <Moment at={row.dueAt} />, value: (row) => row.dueAt },
    { id: 'took', title: say('insight.took'), align: 'end', cell: (row) => took(row.durationMs), value: (row) => row.durationMs },
    { id: 'changed', title: say('insight.system.changed'), align: 'end', isExtra: true, cell: (row) => count(row.changed), value: (row) => row.changed },
    {
      id: 'state',
      title: say('insight.cache.state'),
      cell: (row) => (row.failures ? <Badge tone="late">{row.error || say('insight.system.failed', { count: row.failures })}</Badge> : <Badge tone="good">{say('insight.system.fine')}</Badge>),
      value: (row) => row.error,
    },
  ];
  return (
    <section class="section">
      <h2>{say('insight.system.chores')}</h2>
      <AnswerView answer={answer}>{({ data }) => <FiguresTable label={say('insight.system.chores')} rows={data} columns={columns} rowKey={(row) => row.name} sortName="chores" exportAs="chores" empty={say('insight.system.no_chores')} />}</AnswerView>
    </section>
  );
}

function Settings({ settings }: { settings: ProcessView['settings'] }) {
  const { say } = useTongue();
  const filters = useFilters('q');
  const columns: FigureColumn<ProcessView['settings'][number]>[] = [
    { id: 'variable', title: say('insight.system.variable'), isMain: true, cell: (row) => <span class="mono">{row.variable}</span>, value: (row) => row.variable },
    { id: 'value', title: say('insight.system.value'), cell: (row) => (row.value === null || row.value === '' ? <span class="quiet">–</span> : <span class="mono insight-code">{String(row.value)}</span>), value: (row) => String(row.value ?? '') },
    { id: 'source', title: say('insight.system.source'), cell: (row) => (row.source === 'environment' ? <Badge tone="active">{say('insight.system.environment')}</Badge> : <span class="quiet">{say('insight.system.default')}</span>), value: (row) => row.source },
  ];
  return (
    <section class="section">
      <h2>{say('insight.system.settings')}</h2>
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.system.variable')} />
      </FilterBar>
      <FiguresTable label={say('insight.system.settings')} rows={matching(settings, filters.values.q, (row) => `${row.variable} ${row.value ?? ''}`)} columns={columns} rowKey={(row) => row.variable} defaultSort="-source" exportAs="settings" empty="" isFiltered={filters.is} shown={20} />
    </section>
  );
}
