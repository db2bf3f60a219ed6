import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useTongue } from '../tongue';
import { OverviewFeed, type Feed } from '../feed';
import { Observable, useObservable } from '../observable';
import { activeJobs, currentMonth, type Figure, type JobState, type Overview } from '../overview';
import type { Session, User } from '../session';
import { ActivityList } from '../ui/activity_list';
import { Brand } from '../ui/brand';
import { DepartmentBars } from '../ui/department_bars';
import { KpiCard } from '../ui/kpi_card';
import { LiveState } from '../ui/live_state';
import { ProblemNote } from '../ui/problem_note';
import { RevenueChart } from '../ui/revenue_chart';

interface Props {
  session: Session;
  user: User;
  tastes: JSX.Element;
}

const NOT_YET = new Observable<Feed>({ live: 'connecting', overview: null, asOf: null, problem: null, changed: new Map() });

export function OverviewPage({ session, user, tastes }: Props) {
  const { say, knows, day } = useTongue();
  const [feed, setFeed] = useState<OverviewFeed | null>(null);
  const [stuck, setStuck] = useState(false);
  useEffect(() => {
    const opened = new OverviewFeed(session);
    setFeed(opened);
    return () => opened.close();
  }, [session]);
  const { live, overview, asOf, problem, changed } = useObservable(feed?.state ?? NOT_YET);

  const leave = () => {
    setStuck(false);
    session.signOut().catch(() => setStuck(true));
  };
  const role = `role.${user.role}`;
  return (
    <>
      <a class="skip" href="#numbers">
        {say('page.skip')}
      </a>
      <header class="masthead">
        <Brand />
        <LiveState live={live} />
        {tastes}
        <div class="who">
          <span class="who-name">
            {user.name}
            <span class="quiet small">{knows(role) ? say(role) : user.role}</span>
          </span>
          <button type="button" class="button" onClick={leave}>
            {say('sign_out')}
          </button>
        </div>
      </header>
      <main id="numbers" tabIndex={-1}>
        <div class="heading">
          <h1>{say('overview.title')}</h1>
          {overview && <p class="quiet">{day(overview.businessDate)}</p>}
        </div>
        {stuck && (
          <p class="note problem" role="alert">
            {say('sign_out.failed')}
          </p>
        )}
        <Stale feed={{ live, overview, asOf, problem, changed }} />
        {overview ? (
          <Numbers overview={overview} changed={changed} />
        ) : problem ? (
          <ProblemNote problem={problem} retry={() => void feed?.fetch()} />
        ) : (
          <Skeleton />
        )}
      </main>
      <Announcer changed={changed} />
    </>
  );
}

/** While the numbers may be behind, it is said from when they are. */
function Stale({ feed: { live, overview, asOf, problem } }: { feed: Feed }) {
  const { say, time } = useTongue();
  const behind = overview && asOf && (problem || live === 'reconnecting' || live === 'offline');
  return behind ? (
    <p class="note" role="status">
      {say('live.stale', { time: time(asOf) })}
    </p>
  ) : null;
}

function Numbers({ overview, changed }: { overview: Overview; changed: Feed['changed'] }) {
  const tongue = useTongue();
  const { say, count } = tongue;
  const { currency, openInvoices, overdueInvoices, cash, headcount, hoursThisWeek, batch } = overview;
  const month = currentMonth(overview);
  const before = overview.revenue.months.at(-2);
  const money = (figure: Figure) => {
    const by = changed.get(figure);
    return by === undefined ? null : tongue.moneyChange(by, currency);
  };
  const number = (figure: Figure) => {
    const by = changed.get(figure);
    return by === undefined ? null : tongue.countChange(by);
  };
  const hoursBy = changed.get('hoursThisWeek');
  const jobs = (['running', 'queued', 'failed', 'done'] as const).filter((state: JobState) => batch[state] > 0);
  const active = activeJobs(overview);
  return (
    <div class="board">
      <div class="kpis">
        <KpiCard
          figure="revenue"
          value={tongue.moneyParts(month?.netCents ?? 0, currency)}
          change={money('revenue')}
          note={
            before &&
            say('revenue.before', {
              month: tongue.month(before.month, 'long'),
              amount: tongue.money(before.netCents, currency),
            })
          }
        />
        <KpiCard
          figure="openInvoices"
          value={tongue.moneyParts(openInvoices.sumCents, currency)}
          change={money('openInvoices')}
          note={
            openInvoices.count
              ? say('invoices.count', { count: openInvoices.count, number: count(openInvoices.count) })
              : say('invoices.none_open')
          }
        />
        <KpiCard
          figure="overdueInvoices"
          tone={overdueInvoices.count ? 'late' : 'plain'}
          value={tongue.moneyParts(overdueInvoices.sumCents, currency)}
          change={money('overdueInvoices')}
          note={
            overdueInvoices.count
              ? say('invoices.count', { count: overdueInvoices.count, number: count(overdueInvoices.count) })
              : say('invoices.none_overdue')
          }
        />
        {cash && (
          <KpiCard
            figure="cash"
            value={tongue.moneyParts(cash.balanceCents, currency)}
            change={money('cash')}
            note={say('cash.note')}
          />
        )}
      </div>
      <RevenueChart months={overview.revenue.months} currency={currency} changed={changed.has('revenue')} />
      <div class="kpis small-kpis">
        <KpiCard
          figure="headcount"
          value={[count(headcount.total), '']}
          change={number('headcount')}
          note={say('departments.count', {
            count: headcount.departments.length,
            number: count(headcount.departments.length),
          })}
        />
        <KpiCard
          figure="hoursThisWeek"
          value={[say('hours.value', { number: tongue.hours(hoursThisWeek.minutes) }), '']}
          change={hoursBy === undefined ? null : say('hours.value', { number: tongue.hoursChange(hoursBy) })}
          note={say('hours.since', { day: tongue.weekday(hoursThisWeek.weekStart) })}
        />
        <KpiCard
          figure="batch"
          value={[active ? say('batch.active', { number: count(active) }) : say('batch.idle'), '']}
          change={number('batch')}
          note={jobs.map((state, index) => (
            <>
              {index > 0 && ' · '}
              <span class={state === 'failed' ? 'late' : ''}>{say(`batch.${state}`, { count: batch[state], number: count(batch[state]) })}</span>
            </>
          ))}
        />
      </div>
      <ActivityList entries={overview.activity} changed={changed.has('activity')} />
      <DepartmentBars departments={headcount.departments} changed={changed.has('headcount')} />
    </div>
  );
}

/** What changed, said once to those who do not see the marks. */
function Announcer({ changed }: { changed: Feed['changed'] }) {
  const { say, list } = useTongue();
  const figures = useMemo(() => [...changed.keys()].map((figure) => say(`figure.${figure}`)), [changed, say]);
  return (
    <p class="unseen" role="status" aria-live="polite">
      {figures.length > 0 && say('live.changed', { figures: list(figures) })}
    </p>
  );
}

function Skeleton() {
  const { say } = useTongue();
  return (
    <div class="board" aria-busy="true">
      <p class="unseen" role="status">
        {say('overview.loading')}
      </p>
      <div class="kpis" aria-hidden="true">
        {[0, 1, 2, 3].map((n) => (
          <div class="card kpi bones" key={n} />
        ))}
      </div>
      <div class="card chart bones" aria-hidden="true" />
      <div class="kpis small-kpis" aria-hidden="true">
        {[0, 1, 2].map((n) => (
          <div class="card kpi bones" key={n} />
        ))}
      </div>
    </div>
  );
}
