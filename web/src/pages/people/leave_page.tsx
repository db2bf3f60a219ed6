import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { LeaveStatus, LeaveView } from '../../api/types';
import { useQuery } from '../../app/router';
import { useAnswer, useListing } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { DataTable, type Column } from '../../ui/data_table';
import { Day } from '../../ui/day';
import { FilterBar, SelectFilter, useFilters } from '../../ui/filter_bar';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import { Tabs } from '../../ui/tabs';
import { toast } from '../../ui/toast';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import { LeaveDialog, RejectDialog } from './leave_dialogs';
import './people.css';

const TONES: Record<LeaveStatus, Tone> = { requested: 'active', approved: 'good', rejected: 'late', cancelled: 'plain' };
const STATUSES: readonly LeaveStatus[] = ['requested', 'approved', 'rejected', 'cancelled'];
type Tab = 'mine' | 'decide' | 'all';

export default function LeavePage() {
  const { say } = useTongue();
  const { role } = useUser();
  const [query, setQuery] = useQuery();
  const [isAsking, setAsking] = useState(false);
  // The answer says who I am as an employee; who is none sees the others' only.
  const allowance = useAnswer('/api/leave-requests/allowance', { query: { year: Number(companyToday().slice(0, 4)) } });
  const own = allowance.body?.data ?? null;
  const seesAll = role !== 'clerk';
  const waiting = useListing('/api/leave-requests', seesAll ? { query: { status: ['requested'], limit: 1 } } : null);
  const tabs: { id: Tab; title: string; count?: number }[] = [
    ...(own || !seesAll ? [{ id: 'mine' as const, title: say('leave.mine') }] : []),
    ...(may('manager') ? [{ id: 'decide' as const, title: say('leave.to_decide'), count: waiting.total ?? 0 }] : []),
    ...(seesAll ? [{ id: 'all' as const, title: say('leave.everybody') }] : []),
  ];
  const shown = tabs.find((tab) => tab.id === query.get('tab'))?.id ?? tabs[0]?.id ?? 'mine';
  return (
    <div class="page">
      <PageHeader
        title={say('nav.leave')}
        note={
          own && `${say('leave.remaining', { count: own.remaining, entitled: own.entitled })} · ${say('leave.bound', { approved: own.approved, requested: own.requested })}`
        }
        actions={
          own &&
          may('clerk') && (
            <Button kind="primary" icon="plus" onClick={() => setAsking(true)}>
              {say('leave.request')}
            </Button>
          )
        }
      />
      <Tabs tabs={tabs} shown={shown} show={(tab) => setQuery({ tab, status: null })}>
        <Requests key={shown} tab={shown} ownId={own?.employeeId ?? null} />
      </Tabs>
      {isAsking && <LeaveDialog onClose={() => setAsking(false)} />}
    </div>
  );
}

function Requests({ tab, ownId }: { tab: Tab; ownId: number | null }) {
  const { say } = useTongue();
  const filters = useFilters('status');
  const chosen = STATUSES.find((status) => status === filters.values.status);
  const status = tab === 'decide' ? (['requested'] as LeaveStatus[]) : chosen ? [chosen] : undefined;
  const [rejecting, setRejecting] = useState<LeaveView | null>(null);
  const list = useListing('/api/leave-requests', {
    query: {
      ...(tab === 'mine' && ownId !== null ? { employeeId: ownId } : {}),
      ...(status ? { status } : {}),
      sort: tab === 'decide' ? 'firstDay' : '-firstDay',
    },
  });
  const act = async (step: () => Promise<unknown>, done: string) => {
    try {
      await step();
      toast(done);
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || problem.title, { isProblem: true });
    }
  };
  const ask = (row: LeaveView) => ({ path: { leave_id: row.id }, body: { version: row.version } });
  const approve = (row: LeaveView) =>
    act(() => api.post('/api/leave-requests/{leave_id}/approve', ask(row)), say('leave.approved', { name: row.employeeName }));
  const cancel = async (row: LeaveView) => {
    const question = { title: say('leave.cancel'), text: say('leave.cancel.text'), act: say('leave.cancel'), isDanger: true };
    if (await confirm(question)) await act(() => api.post('/api/leave-requests/{leave_id}/cancel', ask(row)), say('form.saved'));
  };
  const mayCancel = (row: LeaveView) =>
    (row.status === 'requested' && (row.employeeId === ownId || may('manager'))) ||
    (row.status === 'approved' && may('manager') && row.firstDay > companyToday());
  const columns: Column<LeaveView>[] = [
    ...(tab === 'mine' ? [] : [{ id: 'who', title: say('leave.who'), isMain: true, cell: (row: LeaveView) => row.employeeName, text: (row: LeaveView) => row.employeeName }]),
    { id: 'firstDay', title: say('leave.firstDay'), ...(tab === 'mine' ? { isMain: true } : {}), cell: (row) => <Day date={row.firstDay} />, text: (row) => row.firstDay },
    { id: 'lastDay', title: say('leave.lastDay'), cell: (row) => <Day date={row.lastDay} />, text: (row) => row.lastDay },
    { id: 'days', title: say('leave.days'), align: 'end', cell: (row) => row.workdays, text: (row) => row.workdays },
    { id: 'kind', title: say('leave.kind'), cell: (row) => say(`leave.kind.${row.kind}`), text: (row) => say(`leave.kind.${row.kind}`) },
    {
      id: 'status',
      title: say('leave.status'),
      cell: (row) => <Badge tone={TONES[row.status]}>{say(`leave.status.${row.status}`)}</Badge>,
      text: (row) => say(`leave.status.${row.status}`),
    },
    { id: 'reason', title: say('leave.reason'), isExtra: true, cell: (row) => row.reason, text: (row) => row.reason },
    {
      id: 'acts',
      title: '',
      align: 'end',
      cell: (row) => (
        <span class="row-acts">
          {tab === 'decide' && (
            <>
              <Button kind="primary" aria-label={`${say('leave.approve')}: ${row.employeeName}`} onClick={() => void approve(row)}>
                {say('leave.approve')}
              </Button>
              <Button aria-label={`${say('leave.reject')}: ${row.employeeName}`} onClick={() => setRejecting(row)}>
                {say('leave.reject')}
              </Button>
            </>
          )}
          {tab !== 'decide' && mayCancel(row) && (
            <Button kind="bare" onClick={() => void cancel(row)}>
              {say('leave.cancel')}
            </Button>
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      {tab !== 'decide' && (
        <FilterBar filtered={filters}>
          <SelectFilter name="status" label={say('leave.status')} options={STATUSES.map((value) => ({ value, title: say(`leave.status.${value}`) }))} />
        </FilterBar>
      )}
      <DataTable label={say('nav.leave')} list={list} columns={columns} rowKey={(row) => row.id} exportAs="leave" empty={say('leave.empty')} filtered={filters} />
      {rejecting && <RejectDialog leave={rejecting} onClose={() => setRejecting(null)} />}
    </>
  );
}
