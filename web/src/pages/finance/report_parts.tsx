/** What the tables of all reports have in common. */

import { Button } from '../../ui/button';
import { csvOf, saveFile, type CsvCell } from '../../ui/csv';
import { LiveNumber } from '../../ui/live_number';
import type { Period } from '../../ui/periods';
import '../../words/books';
import { useTongue } from '../../words/tongue';

export interface ReportProps {
  period: Period;
  /** The one it stands beside. */
  before: Period;
}

/** The name of an account; it leads to the posting lines that make its amount. */
export function AccountName({ accountId, number, name, period }: { accountId: number; number: string; name: string; period: Period }) {
  return (
    <a class="report-account" href={`/accounts/${accountId}?from=${period.from}&to=${period.to}`}>
      <span class="number quiet">{number}</span> {name}
    </a>
  );
}

/** An amount that shows for a while when it has just moved. */
export function Amount({ cents, of }: { cents: number; of: string }) {
  const { money, moneyChange } = useTongue();
  return <LiveNumber value={cents} of={of} write={(value) => money(value, 'EUR')} writeChange={(by) => moneyChange(by, 'EUR')} />;
}

/** By how much an amount differs from the one before. */
export function Change({ now, before }: { now: number; before: number }) {
  const { moneyChange, percent } = useTongue();
  if (now === before) return <span class="quiet">–</span>;
  const share = before === 0 ? null : (now - before) / Math.abs(before);
  return (
    <span class="number">
      {moneyChange(now - before, 'EUR')}
      {share !== null && Math.abs(share) < 10 && <span class="quiet small report-share">{`${share > 0 ? '+' : '\u2212'}${percent(Math.abs(share))}`}</span>}
    </span>
  );
}

export function CsvButton({ name, rows }: { name: string; rows: () => readonly (readonly CsvCell[])[] }) {
  const { say } = useTongue();
  return (
    <Button
      kind="bare"
      icon="download"
      title={say('table.export.title')}
      onClick={() => {
        const [head = [], ...lines] = rows();
        saveFile(`${name}.csv`, csvOf(head.map(String), lines));
      }}
    >
      {say('table.export')}
    </Button>
  );
}
