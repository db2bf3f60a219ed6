import { useQuery } from '../app/router';
import '../words/spans';
import { useTongue } from '../words/tongue';
import { IconButton } from './button';
import { companyToday, type Period } from './periods';
import { isPeriod, kindOf, SPAN_KINDS, spanAt, stepped, type SpanKind } from './spans';

/** The period in the query string, else the month in which the company is now. */
export function usePeriod(): Period {
  const [query] = useQuery();
  const from = query.get('from') ?? undefined;
  const to = query.get('to') ?? undefined;
  return isPeriod(from, to) ? { from: from ?? '', to: to ?? '' } : spanAt('month', companyToday());
}

/** What a period is called: a month, a quarter, a year by name, another by its days. */
export function usePeriodName(): (period: Period) => string {
  const { say, month, date } = useTongue();
  return (period) => {
    const year = period.from.slice(0, 4);
    switch (kindOf(period)) {
      case 'month':
        return month(period.from, 'long');
      case 'quarter':
        return say('span.quarter_of', { quarter: Math.ceil(Number(period.from.slice(5, 7)) / 3), year });
      case 'year':
        return year;
      case 'free':
        return say('span.of', { from: date(period.from), to: date(period.to) });
    }
  };
}

/** A period by month, quarter, year or at will, with steps to the one before and after. */
export function PeriodPicker() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const period = usePeriod();
  const nameOf = usePeriodName();
  const isFree = query.get('span') === 'free' || kindOf(period) === 'free';
  const kind: SpanKind = isFree ? 'free' : kindOf(period);
  const set = (next: Period, span: SpanKind | null = isFree ? 'free' : null) => setQuery({ from: next.from, to: next.to, span });
  const choose = (next: SpanKind) => {
    if (next === 'free') set(period, 'free');
    else {
      // The one that holds today if today is in the period, so that a year leads to this month.
      const today = companyToday();
      set(spanAt(next, today >= period.from && today <= period.to ? today : period.from), null);
    }
  };
  return (
    <div class="period-picker" role="group" aria-label={say('span.label')}>
      <span class="segments" role="group" aria-label={say('span.kind')}>
        {SPAN_KINDS.map((one) => (
          <button type="button" key={one} aria-pressed={one === kind} onClick={() => choose(one)}>
            {say(`span.${one}`)}
          </button>
        ))}
      </span>
      <span class="period-steps">
        <IconButton icon="left" label={say('span.earlier')} onClick={() => set(stepped(period, -1))} />
        {isFree ? (
          <span class="date-range">
            <input type="date" aria-label={say('filter.from')} value={period.from} max={period.to} onChange={(event) => event.currentTarget.value && set({ ...period, from: event.currentTarget.value })} />
            <input type="date" aria-label={say('filter.to')} value={period.to} min={period.from} onChange={(event) => event.currentTarget.value && set({ ...period, to: event.currentTarget.value })} />
          </span>
        ) : (
          <b class="period-name" aria-live="polite">
            {nameOf(period)}
          </b>
        )}
        <IconButton icon="right" label={say('span.later')} onClick={() => set(stepped(period, 1))} />
      </span>
    </div>
  );
}
