import { useEffect, useState } from 'preact/hooks';
import { MonthChart, type MonthSum } from '../../charts/month_chart';
import { api } from '../../session/current';
import { useTongue } from '../../words/tongue';
import { monthEnds } from './month_ends';

const MONTHS = 12;
/** What stood at the end of months gone by hardly changes: it is asked for once a visit. */
const kept = new Map<string, Promise<MonthSum>>();

interface Props {
  today: string;
  balanceCents: number;
  currency: string;
  changed: boolean;
}

/** Cash and bank at the end of each of the last months, and now. */
export function CashChart({ today, balanceCents, currency, changed }: Props) {
  const { say } = useTongue();
  const [before, setBefore] = useState<readonly MonthSum[] | null>(null);
  const thisMonth = today.slice(0, 7);
  useEffect(() => {
    let isWanted = true;
    history(today).then(
      (sums) => isWanted && setBefore(sums),
      () => isWanted && setBefore([]), // the figure above says what there is now; its history is no matter of life
    );
    return () => {
      isWanted = false;
    };
  }, [thisMonth]);
  if (before === null) return <div class="card chart bones" aria-hidden="true" />;
  if (before.length === 0) return null;
  return (
    <MonthChart
      figure="cash-by-month"
      kind="area"
      title={say('overview.cash_chart')}
      note={say('overview.cash_chart_note')}
      sum={say('overview.cash_sum')}
      empty={say('overview.cash_empty')}
      months={[...before, { month: thisMonth, cents: balanceCents }]}
      currency={currency}
      changed={changed}
    />
  );
}

async function history(today: string): Promise<readonly MonthSum[]> {
  const { data } = await api.get('/api/dashboard/widgets/{widget_id}', { path: { widget_id: 'cash' } });
  const numbers = 'accounts' in data.data ? data.data.accounts.map((account) => account.number) : [];
  return Promise.all(monthEnds(today, MONTHS - 1).map((at) => balanceAt(at, numbers)));
}

function balanceAt(at: string, numbers: readonly string[]): Promise<MonthSum> {
  let sum = kept.get(at);
  if (!sum) {
    sum = api.get('/api/accounts', { query: { kind: 'asset', at, limit: 500 } }).then(({ data }) => ({
      month: at.slice(0, 7),
      cents: data.filter((account) => numbers.includes(account.number)).reduce((all, account) => all + account.balanceCents, 0),
    }));
    sum.catch(() => kept.delete(at));
    kept.set(at, sum);
  }
  return sum;
}
