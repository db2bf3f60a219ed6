import { useQuery } from '../../app/router';
import { Button } from '../../ui/button';
import { PageHeader } from '../../ui/page_header';
import { PeriodPicker, usePeriod, usePeriodName } from '../../ui/period_picker';
import { stepped } from '../../ui/spans';
import { Tabs } from '../../ui/tabs';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { BalanceSheet } from './balance_sheet';
import { KeyFigures } from './key_figures';
import { ProfitLoss } from './profit_loss';
import './reports.css';

const REPORTS = ['profit-loss', 'balance-sheet', 'financial'] as const;
type Report = (typeof REPORTS)[number];
const TITLES = { 'profit-loss': 'reports.profit_loss', 'balance-sheet': 'reports.balance_sheet', financial: 'reports.financial' } as const;

export default function ReportsPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown: Report = REPORTS.find((one) => one === query.get('report')) ?? 'profit-loss';
  const period = usePeriod();
  const nameOf = usePeriodName();
  const props = { period, before: stepped(period, -1) };
  return (
    <div class="page reports">
      <PageHeader
        title={say('nav.reports')}
        note={<span class="for-paper">{`${say(TITLES[shown])}, ${nameOf(period)}`}</span>}
        actions={
          <Button icon="print" onClick={() => print()}>
            {say('table.print')}
          </Button>
        }
      />
      <PeriodPicker />
      <Tabs<Report>
        tabs={REPORTS.map((id) => ({ id, title: say(TITLES[id]) }))}
        shown={shown}
        show={(report) => setQuery({ report: report === 'profit-loss' ? null : report })}
      >
        {shown === 'profit-loss' && <ProfitLoss {...props} />}
        {shown === 'balance-sheet' && <BalanceSheet {...props} />}
        {shown === 'financial' && <KeyFigures {...props} />}
      </Tabs>
    </div>
  );
}
