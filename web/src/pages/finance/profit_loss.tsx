import type { ProfitLossView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { Empty } from '../../ui/empty';
import { usePeriodName } from '../../ui/period_picker';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { compared, type ComparedLine } from './report_lines';
import { AccountName, Amount, Change, CsvButton, type ReportProps } from './report_parts';

/** Income and expenses of a period by account, beside the period before. */
export function ProfitLoss({ period, before }: ReportProps) {
  const answer = useAnswer('/api/reports/profit-loss', { query: { ...period } });
  const earlier = useAnswer('/api/reports/profit-loss', { query: { ...before } });
  return <AnswerView answer={answer}>{({ data }) => <Report report={data} earlier={earlier.body?.data ?? null} period={period} before={before} />}</AnswerView>;
}

function Report({ report, earlier, period, before }: { report: ProfitLossView; earlier: ProfitLossView | null } & ReportProps) {
  const { say } = useTongue();
  const nameOf = usePeriodName();
  const income = compared(report.income, earlier?.income ?? []);
  const expenses = compared(report.expenses, earlier?.expenses ?? []);
  const of = `${period.from} ${period.to}`;
  if (income.length + expenses.length === 0) return <Empty icon="report" text={say('reports.empty')} />;
  const groups = [
    { title: say('report.income'), lines: income, cents: report.incomeCents, before: earlier?.incomeCents ?? 0 },
    { title: say('report.expenses'), lines: expenses, cents: report.expensesCents, before: earlier?.expensesCents ?? 0 },
  ];
  const rows = () => [
    [say('report.account'), say('account.name'), nameOf(period), nameOf(before)],
    ...groups.flatMap(({ title, lines, cents, before: was }) => [
      ...lines.map((line) => [line.number, line.name, line.cents / 100, line.beforeCents / 100]),
      ['', title, cents / 100, was / 100],
    ]),
    ['', say('report.result'), report.resultCents / 100, (earlier?.resultCents ?? 0) / 100],
  ];
  return (
    <div class="report">
      <div class="table-frame">
        <table class="report-table" aria-label={say('reports.profit_loss')}>
          <thead>
            <tr>
              <th scope="col">{say('report.account')}</th>
              <th scope="col" class="report-bar" aria-label={say('reports.share')} />
              <th scope="col" class="end">
                {nameOf(period)}
              </th>
              <th scope="col" class="end extra">
                {nameOf(before)}
              </th>
              <th scope="col" class="end extra">
                {say('reports.change')}
              </th>
            </tr>
          </thead>
          {groups.map((group) => (
            <Group key={group.title} {...group} period={period} of={of} />
          ))}
          <tbody class="report-result">
            <tr>
              <th scope="row">{say('report.result')}</th>
              <td class="report-bar" />
              <td class={report.resultCents < 0 ? 'end late' : 'end good'}>
                <Amount cents={report.resultCents} of={of} />
              </td>
              <td class="end extra number">
                <Amount cents={earlier?.resultCents ?? 0} of={of} />
              </td>
              <td class="end extra">
                <Change now={report.resultCents} before={earlier?.resultCents ?? 0} />
              </td>
            </tr>
          </tbody>
        </table>
      </div>
      <footer class="table-foot">
        <span />
        <CsvButton name={`profit-loss-${period.from}-${period.to}`} rows={rows} />
      </footer>
    </div>
  );
}

interface GroupProps {
  title: string;
  lines: readonly ComparedLine[];
  cents: number;
  before: number;
  period: ReportProps['period'];
  of: string;
}

function Group({ title, lines, cents, before, period, of }: GroupProps) {
  const { say, percent } = useTongue();
  const shareOf = (line: ComparedLine) => (cents > 0 ? Math.max(0, line.cents / cents) : 0);
  return (
    <tbody>
      <tr class="report-group">
        <th scope="rowgroup" colSpan={5}>
          {title}
        </th>
      </tr>
      {lines.map((line) => (
        <tr key={line.accountId}>
          <td>
            <AccountName {...line} period={period} />
          </td>
          <td class="report-bar">
            <span class="share" title={`${say('reports.share')}: ${percent(shareOf(line))}`}>
              <span style={{ width: `${Math.min(100, shareOf(line) * 100)}%` }} />
            </span>
          </td>
          <td class="end">
            <Amount cents={line.cents} of={of} />
          </td>
          <td class="end extra quiet">
            <Amount cents={line.beforeCents} of={of} />
          </td>
          <td class="end extra">
            <Change now={line.cents} before={line.beforeCents} />
          </td>
        </tr>
      ))}
      <tr class="report-sum">
        <th scope="row">{title}</th>
        <td class="report-bar" />
        <td class="end">
          <Amount cents={cents} of={of} />
        </td>
        <td class="end extra">
          <Amount cents={before} of={of} />
        </td>
        <td class="end extra">
          <Change now={cents} before={before} />
        </td>
      </tr>
    </tbody>
  );
}
