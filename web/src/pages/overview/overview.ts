/** The overview: the `data` of GET /api/dashboard/overview and of the event `dashboard:update`. Pure. */

import type { BatchFigure, MonthRevenue, Overview } from '../../events';

export type { ActivityEntry as Activity, DepartmentHeadcount as Department, MonthRevenue, Overview } from '../../events';

export type JobState = keyof BatchFigure;

export type Figure =
  | 'revenue'
  | 'openInvoices'
  | 'overdueInvoices'
  | 'cash'
  | 'headcount'
  | 'hoursThisWeek'
  | 'batch'
  | 'activity';

/** Figures that differ between two overviews, each with by how much (cents, people, minutes, jobs, entries). */
export type Changes = ReadonlyMap<Figure, number>;

export function currentMonth(overview: Overview): MonthRevenue | undefined {
  return overview.revenue.months.at(-1);
}

export function activeJobs(overview: Overview): number {
  return overview.batch.queued + overview.batch.running;
}

/** What changed from `before` to `after`; by how much is 0 when a figure changed within itself (13 small, 12 large). */
export function changes(before: Overview, after: Overview): Changes {
  const changed = new Map<Figure, number>();
  const compare = (figure: Figure, size: (overview: Overview) => number, whole: (overview: Overview) => unknown) => {
    if (JSON.stringify(whole(before)) !== JSON.stringify(whole(after))) changed.set(figure, size(after) - size(before));
  };
  compare('revenue', (one) => currentMonth(one)?.netCents ?? 0, (one) => one.revenue);
  compare('openInvoices', (one) => one.openInvoices.sumCents, (one) => one.openInvoices);
  compare('overdueInvoices', (one) => one.overdueInvoices.sumCents, (one) => one.overdueInvoices);
  compare('cash', (one) => one.cash?.balanceCents ?? 0, (one) => one.cash ?? null);
  compare('headcount', (one) => one.headcount.total, (one) => one.headcount);
  compare('hoursThisWeek', (one) => one.hoursThisWeek.minutes, (one) => one.hoursThisWeek);
  compare('batch', activeJobs, (one) => one.batch);
  const known = new Set(before.activity.map((entry) => entry.id));
  const fresh = after.activity.filter((entry) => !known.has(entry.id)).length;
  if (fresh) changed.set('activity', fresh);
  return changed;
}
