import type { FinancialView, FiguresView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { usePeriodName } from '../../ui/period_picker';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { Amount, Change, CsvButton, type ReportProps } from './report_parts';

const FLOWS = ['revenueCents', 'expensesCents', 'resultCents'] as const;
const STOCKS = ['cashCents', 'receivablesCents', 'payablesCents', 'vatOwedCents'] as const;
const DOCUMENTS = ['invoicesSent', 'invoicesPaid', 'invoicesOverdue', 'invoicesCancelled', 'creditNotes', 'payments', 'refunds'] as const;

/** A period in figures beside the one before it. */
export function KeyFigures({ period, before }: ReportProps) {
  const answer = useAnswer('/api/reports/financial', { query: { ...period } });
  return <AnswerView answer={answer}>{({ data }) => <Figures data={data} period={period} before={before} />}</AnswerView>;
}

function Figures({ data, period }: { data: FinancialView } & ReportProps) {
  const { say, count } = useTongue();
  const nameOf = usePeriodName();
  const earlier: FiguresView = data.before;
  const beforeName = nameOf({ from: earlier.from, to: earlier.to });
  const of = `${period.from} ${period.to}`;
  const within = `from=${period.from}&to=${period.to}`;
  /** Where a figure is told in full. */
  const leads: Partial<Record<string, string>> = {
    revenueCents: `/reports?${within}`,
    expensesCents: `/reports?${within}`,
    resultCents: `/reports?${within}`,
    receivablesCents: '/invoices?status=open',
    cashCents: `/accounts?at=${period.to}&kind=asset`,
    vatOwedCents: `/accounts?at=${period.to}&kind=liability`,
    payablesCents: `/accounts?at=${period.to}&kind=liability`,
    invoicesSent: `/invoices?${within}`,
    invoicesOverdue: '/invoices?status=overdue',
    creditNotes: `/credit-notes?${within}`,
    payments: `/payments?${within}`,
    refunds: `/payments?${within}&kind=refunds`,
  };
  const named = (figure: (typeof FLOWS | typeof STOCKS | typeof DOCUMENTS)[number]) => {
    const to = leads[figure];
    return to ? <a href={to}>{say(`key_figure.${figure}`)}</a> : say(`key_figure.${figure}`);
  };
  const rows = () => [
    [say('key_figure.name'), nameOf(period), beforeName],
    ...[...FLOWS, ...STOCKS].map((figure) => [say(`key_figure.${figure}`), data[figure] / 100, earlier[figure] / 100]),
    ...DOCUMENTS.flatMap((figure) => [
      [`${say(`key_figure.${figure}`)}, ${say('key_figure.count')}`, data[figure].count, earlier[figure].count],
      [say(`key_figure.${figure}`), data[figure].sumCents / 100, earlier[figure].sumCents / 100],
    ]),
  ];
  const head = (title: string) => (
    <tr class="report-group">
      <th scope="rowgroup" colSpan={4}>
        {title}
      </th>
    </tr>
  );
  const money = (figure: (typeof FLOWS | typeof STOCKS)[number]) => (
    <tr key={figure}>
      <td>{named(figure)}</td>
      <td class="end">
        <Amount cents={data[figure]} of={of} />
      </td>
      <td class="end extra quiet">
        <Amount cents={earlier[figure]} of={of} />
      </td>
      <td class="end extra">
        <Change now={data[figure]} before={earlier[figure]} />
      </td>
    </tr>
  );
  return (
    <div class="report">
      <div class="table-frame">
        <table class="report-table" aria-label={say('reports.financial')}>
          <thead>
            <tr>
              <th scope="col">{say('key_figure.name')}</th>
              <th scope="col" class="end">
                {nameOf(period)}
              </th>
              <th scope="col" class="end extra">
                {beforeName}
              </th>
              <th scope="col" class="end extra">
                {say('reports.change')}
              </th>
            </tr>
          </thead>
          <tbody>
            {head(say('key_figure.flow'))}
            {FLOWS.map(money)}
          </tbody>
          <tbody>
            {head(say('key_figure.stock'))}
            {STOCKS.map(money)}
          </tbody>
          <tbody>
            {head(say('key_figure.documents'))}
            {DOCUMENTS.map((figure) => (
              <tr key={figure}>
                <td>
                  {named(figure)} <span class="badge">{count(data[figure].count)}</span>
                </td>
                <td class="end">
                  <Amount cents={data[figure].sumCents} of={of} />
                </td>
                <td class="end extra quiet">
                  {count(earlier[figure].count)} · <Amount cents={earlier[figure].sumCents} of={of} />
                </td>
                <td class="end extra">
                  <Change now={data[figure].sumCents} before={earlier[figure].sumCents} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer class="table-foot">
        <span />
        <CsvButton name={`figures-${period.from}-${period.to}`} rows={rows} />
      </footer>
    </div>
  );
}
