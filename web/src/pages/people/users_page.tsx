import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { Role, UserListView } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { api, useUser } from '../../session/current';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { DataTable, type Column } from '../../ui/data_table';
import { Moment } from '../../ui/day';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import './people.css';
import { freshPassword, OnceDialog, UserDialog, type Once } from './user_dialogs';

const ROLES: readonly Role[] = ['admin', 'manager', 'clerk', 'auditor'];

export default function UsersPage() {
  const { say } = useTongue();
  const me = useUser();
  const filters = useFilters('q', 'role', 'active');
  const { q, role, active } = filters.values;
  const [shown, setShown] = useState<UserListView | 'new' | null>(null);
  const [once, setOnce] = useState<Once | null>(null);
  const chosen = ROLES.find((one) => one === role);
  const list = useListing('/api/users', {
    query: { ...(q ? { search: q } : {}), ...(chosen ? { role: chosen } : {}), ...(active ? { active: active === 'true' } : {}) },
  });
  const act = async (step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      const problem = asProblem(error);
      toast(problem.detail || problem.title, { isProblem: true });
    }
  };
  const disable = async (row: UserListView) => {
    const question = { title: `${say('users.disable')}: ${row.name}`, text: say('users.disable.text', { name: row.name }), act: say('users.disable') };
    if (!(await confirm({ ...question, isDanger: true }))) return;
    await act(() => api.post('/api/users/{user_id}/disable', { path: { user_id: row.id }, body: { version: row.version } }));
  };
  const enable = (row: UserListView) =>
    act(() => api.post('/api/users/{user_id}/enable', { path: { user_id: row.id }, body: { version: row.version } }));
  const reset = async (row: UserListView) => {
    const question = { title: `${say('users.reset')}: ${row.name}`, text: say('users.reset.text', { name: row.name }), act: say('users.reset') };
    if (!(await confirm({ ...question, isDanger: true }))) return;
    const password = freshPassword();
    await act(async () => {
      await api.post('/api/users/{user_id}/password', { path: { user_id: row.id }, body: { newPassword: password } });
      setOnce({ name: row.name, password });
    });
  };
  const columns: Column<UserListView>[] = [
    { id: 'name', title: say('users.name'), isMain: true, cell: (row) => row.name, text: (row) => row.name },
    { id: 'email', title: say('users.email'), cell: (row) => row.email, text: (row) => row.email },
    { id: 'role', title: say('users.role'), cell: (row) => say(`role.${row.role}`), text: (row) => row.role },
    {
      id: 'state',
      title: say('users.state'),
      cell: (row) => <Badge tone={row.isActive ? 'good' : 'late'}>{say(row.isActive ? 'users.enabled' : 'users.disabled')}</Badge>,
      text: (row) => say(row.isActive ? 'users.enabled' : 'users.disabled'),
    },
    {
      id: 'seen',
      title: say('users.last_sign_in'),
      isExtra: true,
      cell: (row) => (row.lastSignInAt ? <Moment at={row.lastSignInAt} /> : <span class="quiet">{say('users.never')}</span>),
      text: (row) => row.lastSignInAt,
    },
    {
      id: 'acts',
      title: '',
      align: 'end',
      cell: (row) => (
        <span class="row-acts">
          <Button kind="bare" onClick={() => setShown(row)} aria-label={`${say('employees.edit')}: ${row.name}`}>
            {say('employees.edit')}
          </Button>
          {row.id !== me.id && (
            <>
              <Button kind="bare" onClick={() => void reset(row)} aria-label={`${say('users.reset')}: ${row.name}`}>
                {say('users.reset')}
              </Button>
              <Button kind="bare" onClick={() => void (row.isActive ? disable(row) : enable(row))} aria-label={`${say(row.isActive ? 'users.disable' : 'users.enable')}: ${row.name}`}>
                {say(row.isActive ? 'users.disable' : 'users.enable')}
              </Button>
            </>
          )}
        </span>
      ),
    },
  ];
  return (
    <div class="page">
      <PageHeader
        title={say('nav.users')}
        actions={
          <Button kind="primary" icon="plus" onClick={() => setShown('new')}>
            {say('users.new')}
          </Button>
        }
      />
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('users.search')} />
        <SelectFilter name="role" label={say('users.role')} options={ROLES.map((value) => ({ value, title: say(`role.${value}`) }))} />
        <SelectFilter
          name="active"
          label={say('users.state')}
          options={[
            { value: 'true', title: say('users.enabled') },
            { value: 'false', title: say('users.disabled') },
          ]}
        />
      </FilterBar>
      <DataTable label={say('nav.users')} list={list} columns={columns} rowKey={(row) => row.id} exportAs="users" empty={say('users.empty')} filtered={filters} />
      {shown && <UserDialog user={shown === 'new' ? null : shown} onClose={() => setShown(null)} onMade={setOnce} />}
      {once && <OnceDialog once={once} onClose={() => setOnce(null)} />}
    </div>
  );
}
