import type { BalanceLineView, BalanceSheetView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { dayAfter } from './days';
import { AccountName, Amount, CsvButton, type ReportProps } from './report_parts';

/** What the company has and owes at the end of a period, beside what it had and owed before it. */
export function BalanceSheet({ period }: ReportProps) {
  const answer = useAnswer('/api/reports/balance-sheet', { query: { ...period } });
  return <AnswerView answer={answer}>{({ data }) => <Sheet sheet={data} period={period} />}</AnswerView>;
}

interface Row {
  name: string;
  opening: number;
  closing: number;
}

function Sheet({ sheet, period }: { sheet: BalanceSheetView; period: ReportProps['period'] }) {
  const { say, money } = useTongue();
  const { opening, closing } = sheet;
  const sum = (name: string, key: 'assetsCents' | 'liabilitiesCents' | 'equityCents' | 'resultCents'): Row => ({ name, opening: opening[key], closing: closing[key] });
  const result = sum(say('report.result_of_all'), 'resultCents');
  const sources: Row = {
    name: say('report.sources'),
    opening: opening.liabilitiesCents + opening.equityCents + opening.resultCents,
    closing: closing.liabilitiesCents + closing.equityCents + closing.resultCents,
  };
  const assets = sum(say('report.assets'), 'assetsCents');
  const liabilities = sum(say('report.liabilities'), 'liabilitiesCents');
  const equity = sum(say('report.equity'), 'equityCents');
  const rows = () => {
    const lines = (some: readonly BalanceLineView[]) => some.map((line) => [line.number, line.name, line.openingCents / 100, line.closingCents / 100]);
    const sums = (row: Row) => ['', row.name, row.opening / 100, row.closing / 100];
    return [
      [say('report.account'), say('account.name'), dayAfter(period.from, -1), period.to],
      ...lines(sheet.assets),
      sums(assets),
      ...lines(sheet.liabilities),
      sums(liabilities),
      ...lines(sheet.equity),
      sums(equity),
      sums(result),
      sums(sources),
    ];
  };
  return (
    <div class="report">
      <div class="balance-sides">
        <Side title={say('report.assets')} period={period} groups={[{ lines: sheet.assets, sum: null }]} total={assets} />
        <Side
          title={say('report.sources')}
          period={period}
          groups={[
            { lines: sheet.liabilities, sum: liabilities },
            { lines: sheet.equity, sum: equity },
            { lines: [], sum: result },
          ]}
          total={sources}
        />
      </div>
      <footer class="table-foot">
        <span class="quiet small">
          {assets.closing === sources.closing && `${say('report.balances')} `}
          {`${say('report.result')}, ${say('report.result_of_period')}: ${money(sheet.resultOfPeriodCents, 'EUR')}`}
        </span>
        <CsvButton name={`balance-sheet-${period.to}`} rows={rows} />
      </footer>
    </div>
  );
}

interface SideProps {
  title: string;
  period: ReportProps['period'];
  groups: readonly { lines: readonly BalanceLineView[]; sum: Row | null }[];
  total: Row;
}

function Side({ title, period, groups, total }: SideProps) {
  const { say, date } = useTongue();
  const of = `${period.from} ${period.to}`;
  const figures = (row: Row) => (
    <>
      <td class="end extra quiet">
        <Amount cents={row.opening} of={of} />
      </td>
      <td class="end">
        <Amount cents={row.closing} of={of} />
      </td>
    </>
  );
  return (
    <div class="table-frame">
      <table class="report-table" aria-label={title}>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" class="end extra" title={say('report.opening')}>
              {date(dayAfter(period.from, -1))}
            </th>
            <th scope="col" class="end" title={say('report.closing')}>
              {date(period.to)}
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.flatMap(({ lines, sum }) => [
            ...lines.map((line) => (
              <tr key={line.accountId}>
                <td>
                  <AccountName {...line} period={period} />
                </td>
                {figures({ name: line.name, opening: line.openingCents, closing: line.closingCents })}
              </tr>
            )),
            sum && (
              <tr class="report-sum" key={sum.name}>
                <th scope="row">{sum.name}</th>
                {figures(sum)}
              </tr>
            ),
          ])}
        </tbody>
        <tbody class="report-result">
          <tr>
            <th scope="row">{total.name}</th>
            {figures(total)}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
