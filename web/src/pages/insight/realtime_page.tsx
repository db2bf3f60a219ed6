import './insight.css';
import { useEffect } from 'preact/hooks';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Details } from '../../ui/details';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { LiveNumber } from '../../ui/live_number';
import { PageHeader } from '../../ui/page_header';
import '../../words/insight';
import '../../words/rooms';
import { useTongue } from '../../words/tongue';
import { OverTime } from './over_time';
import { Reasons } from './reasons';
import { keepSample, useSamples } from './samples';
import { serversOf, socketsOf, total, type ClusterStats, type SocketStats } from './socket_stats';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { PauseButton } from './window_picker';
import { useWriting } from './writing';

const TICK_MS = 2_000;

/** What the sockets do: who is connected, what is said, what waits, who is slow, who came back. */
export default function RealtimePage() {
  const { say } = useTongue();
  const answer = useTicking('/api/ws/stats', {}, TICK_MS);
  const sockets = socketsOf(answer.body);
  const stats = sockets?.stats;
  useEffect(() => {
    if (stats) keepSample('sockets', [total(stats.events), total(stats.received), stats.activeConnections, stats.queues?.bytes ?? 0]);
  }, [answer.body]);
  return (
    <div class="page">
      <PageHeader title={say('nav.realtime')} note={say('insight.realtime.note')} badge={stats?.draining && <Badge tone="warn">{say('insight.realtime.draining')}</Badge>} actions={<PauseButton />} />
      <AnswerView answer={answer}>
        {() =>
          stats && (
            <>
              <Figures stats={stats} />
              <Charts hasQueues={stats.queues !== undefined} />
              <Events stats={stats} />
              <div class="insight-split">
                <div class="insight-stack">
                  <Rooms rooms={stats.rooms} />
                  {stats.refused && <Reasons title={say('insight.realtime.refused')} reasons={stats.refused} />}
                  {stats.recoveries && <Reasons title={say('insight.realtime.recoveries')} reasons={stats.recoveries} />}
                </div>
                <Health stats={stats} />
              </div>
              <Cluster cluster={sockets.cluster} />
            </>
          )
        }
      </AnswerView>
    </div>
  );
}

function Figures({ stats }: { stats: SocketStats }) {
  const { say, count, bytes } = useTongue();
  const { rate, took } = useWriting();
  const samples = useSamples('sockets');
  const [out = [], into = [], connections = []] = samples.rates;
  const last = (values: readonly (number | null)[]) => values.at(-1) ?? 0;
  return (
    <div class="insight-tiles">
      <Tile figure="connections" title={say('insight.realtime.connections')} value={<LiveNumber value={stats.activeConnections} write={count} />} note={say('insight.realtime.rooms_count', { number: count(stats.rooms.length) })} {...(connections.length ? { run: samples.counters[2] ?? [] } : {})} />
      <Tile figure="out" title={say('insight.realtime.out')} value={rate(stats.rates ? total(stats.rates.out) : last(out))} note={say('insight.in_all', { number: count(total(stats.events)) })} />
      <Tile figure="in" title={say('insight.realtime.in')} value={rate(stats.rates ? total(stats.rates.in) : last(into))} note={stats.received ? say('insight.in_all', { number: count(total(stats.received)) }) : '–'} />
      <Tile figure="queue" title={say('insight.realtime.waiting')} value={stats.queues ? bytes(stats.queues.bytes) : '–'} note={stats.queues && say('insight.realtime.waiting_for', { number: count(stats.queues.waiting) })} tone={stats.queues && stats.queues.bytes > 1_000_000 ? 'warn' : 'plain'} />
      <Tile figure="slow-clients" title={say('insight.realtime.slow_clients')} value={stats.slowClients === undefined ? '–' : count(stats.slowClients)} tone={stats.slowClients ? 'warn' : 'plain'} note={stats.dropped && say('insight.realtime.dropped', { number: count(stats.dropped.volatile + stats.dropped.replaced) })} />
      <Tile figure="round-trip" title={say('insight.realtime.round_trip')} value={stats.roundTrip && stats.roundTrip.count ? took(stats.roundTrip.p50Ms) : '–'} note={stats.roundTrip && stats.roundTrip.count ? `p99 ${took(stats.roundTrip.p99Ms)}` : null} />
    </div>
  );
}

function Charts({ hasQueues }: { hasQueues: boolean }) {
  const { say, count, bytes } = useTongue();
  const { rate } = useWriting();
  const { times, rates, counters } = useSamples('sockets');
  if (times.length < 2) return null;
  const [out = [], into = []] = rates;
  return (
    <div class="insight-charts">
      <OverTime
        title={say('insight.realtime.events_second')}
        times={times}
        lines={[
          { title: say('insight.realtime.out'), values: out, isArea: true },
          { title: say('insight.realtime.in'), values: into, colour: 3 },
        ]}
        write={rate}
        sync="sockets"
      />
      <OverTime title={say('insight.realtime.connections')} times={times} lines={[{ title: say('insight.realtime.connections'), values: counters[2] ?? [], isArea: true, colour: 2 }]} write={(value) => count(Math.round(value))} sync="sockets" />
      {hasQueues && <OverTime title={say('insight.realtime.waiting')} times={times} lines={[{ title: say('insight.realtime.waiting'), values: counters[3] ?? [], colour: 4 }]} write={(value) => bytes(Math.round(value))} sync="sockets" />}
    </div>
  );
}

interface EventRow {
  event: string;
  out: number;
  outRate: number | null;
  in: number;
  inRate: number | null;
}

function Events({ stats }: { stats: SocketStats }) {
  const { say, count } = useTongue();
  const { rate } = useWriting();
  const names = [...new Set([...Object.keys(stats.events), ...Object.keys(stats.received ?? {})])];
  const rows: EventRow[] = names.map((event) => ({
    event,
    out: stats.events[event] ?? 0,
    outRate: stats.rates ? (stats.rates.out[event] ?? 0) : null,
    in: stats.received?.[event] ?? 0,
    inRate: stats.rates ? (stats.rates.in[event] ?? 0) : null,
  }));
  const columns: FigureColumn<EventRow>[] = [
    { id: 'event', title: say('insight.realtime.event'), isMain: true, cell: (row) => <span class="mono">{row.event}</span>, value: (row) => row.event },
    { id: 'out', title: say('insight.realtime.said'), align: 'end', cell: (row) => count(row.out), value: (row) => row.out },
    { id: 'in', title: say('insight.realtime.heard'), align: 'end', cell: (row) => count(row.in), value: (row) => row.in },
    ...(stats.rates
      ? [
          { id: 'outRate', title: say('insight.realtime.out'), align: 'end' as const, cell: (row: EventRow) => rate(row.outRate ?? 0), value: (row: EventRow) => row.outRate },
          { id: 'inRate', title: say('insight.realtime.in'), align: 'end' as const, cell: (row: EventRow) => rate(row.inRate ?? 0), value: (row: EventRow) => row.inRate },
        ]
      : []),
  ];
  return (
    <section class="section">
      <h2>{say('insight.realtime.events')}</h2>
      <FiguresTable label={say('insight.realtime.events')} rows={rows} columns={columns} rowKey={(row) => row.event} defaultSort="-out" exportAs="events" empty={say('insight.realtime.silent')} />
    </section>
  );
}

function Rooms({ rooms }: { rooms: readonly string[] }) {
  const { say } = useTongue();
  return (
    <section class="card insight-list">
      <h2>{say('insight.realtime.rooms')}</h2>
      {rooms.length === 0 ? (
        <p class="quiet">{say('insight.realtime.no_rooms')}</p>
      ) : (
        <ul class="insight-rooms">
          {rooms.map((room) => (
            <li key={room} class="badge mono">
              {room}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Health({ stats }: { stats: SocketStats }) {
  const { say, count, bytes } = useTongue();
  const { took } = useWriting();
  const { queues, writes, collector, traffic, invalid, nodes } = stats;
  return (
    <Details
      title={say('insight.realtime.health')}
      rows={[
        [say('insight.uptime'), took(stats.uptime * 1000)],
        ...(queues ? ([[say('insight.realtime.polling'), `${count(queues.polling)} / ${count(queues.sessions)}`]] as const) : []),
        ...(writes && writes.count ? ([[say('insight.realtime.writes'), `${took(writes.p50Ms)} / ${took(writes.p99Ms)}`]] as const) : []),
        ...(writes ? ([[say('insight.realtime.stalls'), count(writes.stalls)]] as const) : []),
        ...(traffic
          ? ([
              [say('insight.realtime.deliveries'), count(traffic.deliveries)],
              [say('insight.realtime.bytes'), `${bytes(traffic.bytesOut)} / ${bytes(traffic.bytesIn)}`],
              [say('insight.realtime.sessions'), `${count(traffic.sessionsOpened)} / ${count(traffic.sessionsClosed)}`],
            ] as const)
          : []),
        ...(invalid ? ([[say('insight.realtime.invalid'), `${count(invalid.received)} / ${count(invalid.sent)}`]] as const) : []),
        ...(nodes ? ([[say('insight.realtime.node'), String(nodes['id'] ?? '')], [say('insight.realtime.others'), String(nodes['others'] ?? '')]] as const) : []),
        ...(collector ? ([[say('insight.realtime.collector'), `${count(collector.collections)}, ${took(collector.worstPauseMs)}`]] as const) : []),
        ...(stats.revocations === undefined ? [] : ([[say('insight.realtime.revocations'), count(stats.revocations)]] as const)),
      ]}
    />
  );
}

function Cluster({ cluster }: { cluster: ClusterStats | null }) {
  const { say, count, bytes, list } = useTongue();
  const { took } = useWriting();
  const servers = serversOf(cluster);
  if (servers.length < 2 && !cluster?.missing?.length) return null;
  const columns: FigureColumn<(typeof servers)[number]>[] = [
    { id: 'id', title: say('insight.realtime.server'), isMain: true, cell: (row) => <span class="mono">{row.id}</span>, value: (row) => row.id },
    { id: 'connections', title: say('insight.realtime.connections'), align: 'end', cell: (row) => count(row.activeConnections ?? 0), value: (row) => row.activeConnections },
    { id: 'queue', title: say('insight.realtime.waiting'), align: 'end', cell: (row) => bytes(row.queues?.bytes ?? 0), value: (row) => row.queues?.bytes },
    { id: 'slow', title: say('insight.realtime.slow_clients'), align: 'end', cell: (row) => count(row.slowClients ?? 0), value: (row) => row.slowClients },
    { id: 'uptime', title: say('insight.uptime'), align: 'end', cell: (row) => took((row.uptime ?? 0) * 1000), value: (row) => row.uptime },
  ];
  return (
    <section class="section">
      <h2>{say('insight.realtime.cluster')}</h2>
      {cluster?.missing && cluster.missing.length > 0 && <p class="note problem">{say('insight.realtime.missing', { list: list(cluster.missing) })}</p>}
      <FiguresTable label={say('insight.realtime.cluster')} rows={servers} columns={columns} rowKey={(row) => row.id} sortName="servers" exportAs="servers" empty={say('insight.realtime.alone')} />
    </section>
  );
}
