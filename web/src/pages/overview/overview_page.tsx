import { useMemo } from 'preact/hooks';
import { MANAGEMENT } from '../../app/pages';
import { MonthChart } from '../../charts/month_chart';
import { useAnswer } from '../../live/use_answer';
import { useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { PageHeader } from '../../ui/page_header';
import '../../words/acts';
import '../../words/overview';
import { useTongue } from '../../words/tongue';
import { ActivityList } from './activity_list';
import { CashChart } from './cash_chart';
import { DepartmentBars } from './department_bars';
import { KpiCard } from './kpi_card';
import { activeJobs, currentMonth, type Changes, type Figure, type JobState, type Overview } from './overview';
import './overview.css';
import { useChanges } from './use_changes';

export default function OverviewPage() {
  const { say, day } = useTongue();
  const answer = useAnswer('/api/dashboard/overview');
  const overview = answer.body?.data ?? null;
  const changed = useChanges(overview);
  return (
    <div class="page overview">
      <PageHeader title={say('overview.title')} note={overview && day(overview.businessDate)} />
      <AnswerView answer={answer} loading={<Bones />}>
        {({ data }) => <Numbers overview={data} changed={changed} />}
      </AnswerView>
      <Announcer changed={changed} />
    </div>
  );
}

function Numbers({ overview, changed }: { overview: Overview; changed: Changes }) {
  const tongue = useTongue();
  const user = useUser();
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
            say('overview.revenue_before', {
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
              ? say('overview.invoices', { count: openInvoices.count, number: count(openInvoices.count) })
              : say('overview.none_open')
          }
        />
        <KpiCard
          figure="overdueInvoices"
          tone={overdueInvoices.count ? 'late' : 'plain'}
          value={tongue.moneyParts(overdueInvoices.sumCents, currency)}
          change={money('overdueInvoices')}
          note={
            overdueInvoices.count
              ? say('overview.invoices', { count: overdueInvoices.count, number: count(overdueInvoices.count) })
              : say('overview.none_overdue')
          }
        />
        {cash && (
          <KpiCard
            figure="cash"
            value={tongue.moneyParts(cash.balanceCents, currency)}
            change={money('cash')}
            note={say('overview.cash_note')}
          />
        )}
      </div>
      <div class="board-main">
        <MonthChart
          figure="revenue-by-month"
          kind="bars"
          title={say('overview.revenue_chart')}
          note={say('overview.revenue_note')}
          sum={say('overview.revenue_sum')}
          empty={say('overview.revenue_empty')}
          months={overview.revenue.months.map((one) => ({ month: one.month, cents: one.netCents }))}
          currency={currency}
          changed={changed.has('revenue')}
        />
        {cash && MANAGEMENT.includes(user.role) && (
          <CashChart today={overview.businessDate} balanceCents={cash.balanceCents} currency={currency} changed={changed.has('cash')} />
        )}
      </div>
      <div class="board-side">
      <div class="kpis small-kpis">
        <KpiCard
          figure="headcount"
          value={[count(headcount.total), '']}
          change={number('headcount')}
          note={say('overview.departments_count', {
            count: headcount.departments.length,
            number: count(headcount.departments.length),
          })}
        />
        <KpiCard
          figure="hoursThisWeek"
          value={[say('overview.hours_value', { number: tongue.hours(hoursThisWeek.minutes) }), '']}
          change={hoursBy === undefined ? null : say('overview.hours_value', { number: tongue.hoursChange(hoursBy) })}
          note={say('overview.hours_since', { day: tongue.weekday(hoursThisWeek.weekStart) })}
        />
        <KpiCard
          figure="batch"
          value={[active ? say('overview.batch_active', { number: count(active) }) : say('overview.batch_idle'), '']}
          change={number('batch')}
          note={jobs.map((state, index) => (
            <>
              {index > 0 && ' · '}
              <span class={state === 'failed' ? 'late' : ''}>{say(`overview.batch_${state}`, { count: batch[state], number: count(batch[state]) })}</span>
            </>
          ))}
        />
      </div>
      <DepartmentBars departments={headcount.departments} changed={changed.has('headcount')} />
      </div>
      <ActivityList entries={overview.activity} changed={changed.has('activity')} />
    </div>
  );
}

/** What changed, said once to those who do not see the marks. */
function Announcer({ changed }: { changed: Changes }) {
  const { say, list } = useTongue();
  const figures = useMemo(() => [...changed.keys()].map((figure) => say(`figure.${figure}`)), [changed, say]);
  return (
    <p class="unseen" role="status" aria-live="polite">
      {figures.length > 0 && say('live.changed', { figures: list(figures) })}
    </p>
  );
}

function Bones() {
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
