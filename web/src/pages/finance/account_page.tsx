import { useEffect, useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { AccountView, SheetLineView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer, useListing } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { DataTable, type Column } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { Day } from '../../ui/day';
import { FilterBar, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { dayAfter } from './days';
import { Figures } from './figures';
import { RenameDialog } from './rename_dialog';
import { runningBalances } from './running_balances';
import { Source } from './source';

export default function AccountPage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const filters = useFilters('from', 'to');
  const { from, to } = filters.values;
  const path = { account_id: id };
  const closing = useAnswer('/api/accounts/{account_id}', { path, ...(to ? { query: { at: to } } : {}) });
  const opening = useAnswer('/api/accounts/{account_id}', from ? { path, query: { at: dayAfter(from, -1) } } : null);
  const [wish, setWish] = useState<boolean | null>(null);
  const read = closing.body?.data;
  useEffect(() => setWish(null), [read?.version]);
  // Closing shows before the server has agreed; a refusal shows what stands again.
  const account = read && { ...read, isActive: wish ?? read.isActive };
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/accounts', title: say('nav.accounts') }}
        title={account ? `${account.number} ${account.name}` : say('nav.account')}
        note={account && say(`account.kind.${account.kind}`)}
        badge={account && !account.isActive && <Badge>{say('account.closed')}</Badge>}
        actions={account && may('manager') && <Acts account={account} setWish={setWish} />}
      />
      <FilterBar filtered={filters}>
        <DateRange />
      </FilterBar>
      <AnswerView answer={closing}>
        {({ data }) => <Sheet account={data} from={from} to={to} openingCents={from ? (opening.body?.data.balanceCents ?? null) : 0} />}
      </AnswerView>
    </div>
  );
}

function Sheet({ account, from, to, openingCents }: { account: AccountView; from: string | undefined; to: string | undefined; openingCents: number | null }) {
  const { say, date } = useTongue();
  const { id, number, balanceCents } = account;
  const list = useListing('/api/transactions', { query: { accountId: id, ...(from ? { from } : {}), ...(to ? { to } : {}) } });
  const balances = runningBalances(list.rows, balanceCents);
  const of = `${id} ${from ?? ''} ${to ?? ''}`;
  const columns: Column<SheetLineView>[] = [
    { id: 'day', title: say('line.day'), cell: (row) => <Day date={row.date} />, text: (row) => row.date },
    { id: 'text', title: say('line.description'), isMain: true, cell: (row) => row.description, text: (row) => row.description },
    { id: 'source', title: say('journal.source'), isExtra: true, cell: (row) => <Source source={row.source} />, text: (row) => row.source },
    { id: 'debit', title: say('line.debit'), align: 'end', cell: (row) => row.amountCents > 0 && <Money cents={row.amountCents} />, text: (row) => (row.amountCents > 0 ? row.amountCents / 100 : null) },
    { id: 'credit', title: say('line.credit'), align: 'end', cell: (row) => row.amountCents < 0 && <Money cents={-row.amountCents} />, text: (row) => (row.amountCents < 0 ? -row.amountCents / 100 : null) },
    { id: 'balance', title: say('line.balance'), align: 'end', cell: (row) => <Money cents={balances.get(row.id) ?? 0} /> },
  ];
  return (
    <>
      <Figures
        label={say('account.balance')}
        of={of}
        figures={[
          ...(from && openingCents !== null
            ? [
                { title: say('account.before', { day: date(from) }), cents: openingCents },
                { title: say('account.moved'), cents: balanceCents - openingCents },
              ]
            : []),
          { title: to ? say('account.at_end', { day: date(to) }) : say('account.at_all'), cents: balanceCents },
        ]}
      />
      <section class="section">
        <h2>{say('account.lines')}</h2>
        <DataTable
          label={say('account.lines')}
          list={list}
          columns={columns}
          rowKey={(row) => row.id}
          href={(row) => `/journal/${row.entryId}`}
          exportAs={`account-${number}`}
          empty={say('account.lines.empty')}
        />
      </section>
    </>
  );
}

/** Closing shows at once and can be undone; renaming is a form. */
function Acts({ account, setWish }: { account: AccountView; setWish: (isActive: boolean | null) => void }) {
  const { say } = useTongue();
  const [isRenaming, setRenaming] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const { id, number, isActive, version } = account;
  const turn = async (to: boolean, upon: number) => {
    setBusy(true);
    setWish(to);
    try {
      const { data } = await api.patch('/api/accounts/{account_id}', { path: { account_id: id }, body: { version: upon, isActive: to } });
      toast(say(to ? 'account.was_opened' : 'account.was_closed', { number }), { undo: () => void turn(!to, data.version) });
    } catch (error) {
      setWish(null);
      const problem = asProblem(error);
      toast(problem.detail || say(titleOf(problem)), { isProblem: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button icon="edit" onClick={() => setRenaming(true)}>
        {say('account.rename')}
      </Button>
      <Button busy={isBusy} onClick={() => void turn(!isActive, version)}>
        {say(isActive ? 'account.close' : 'account.open')}
      </Button>
      {isActive && (
        <a class="button primary" href={`/journal/new?account=${number}`}>
          <Icon name="plus" />
          {say('account.book')}
        </a>
      )}
      {isRenaming && <RenameDialog account={account} onClose={() => setRenaming(false)} />}
    </>
  );
}
