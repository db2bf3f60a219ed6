import { useMemo } from 'preact/hooks';
import type { EmployeeView } from '../../api/types';
import { useAnswer, useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { Badge } from '../../ui/badge';
import { DataTable, type Column } from '../../ui/data_table';
import { Day } from '../../ui/day';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import '../../words/people';
import { useTongue } from '../../words/tongue';

const SORTS = ['name', '-name', 'number', '-number', 'hiredOn', '-hiredOn'] as const;

export default function EmployeesPage() {
  const { say } = useTongue();
  const filters = useFilters('q', 'departmentId', 'active', 'sort');
  const { q, departmentId, active, sort } = filters.values;
  const departments = useAnswer('/api/departments').body?.data ?? [];
  const list = useListing('/api/employees', {
    query: {
      ...(q ? { q } : {}),
      ...(departmentId ? { departmentId: Number(departmentId) } : {}),
      ...(active ? { active: active === 'true' } : {}),
      sort: oneOf(SORTS, sort, 'name'),
    },
  });
  const filtered = { is: Boolean(q ?? departmentId ?? active), clear: filters.clear };
  const columns = useMemo(
    (): Column<EmployeeView>[] => [
      { id: 'number', title: say('employee.number'), sort: 'number', cell: (row) => <span class="number">{row.number}</span>, text: (row) => row.number },
      {
        id: 'name',
        title: say('employee.name'),
        sort: 'name',
        isMain: true,
        cell: (row) => `${row.lastName}, ${row.firstName}`,
        text: (row) => `${row.lastName}, ${row.firstName}`,
      },
      { id: 'jobTitle', title: say('employee.jobTitle'), cell: (row) => row.jobTitle, text: (row) => row.jobTitle },
      { id: 'department', title: say('employees.department'), cell: (row) => row.department, text: (row) => row.department },
      { id: 'email', title: say('employee.email'), isExtra: true, cell: (row) => row.email, text: (row) => row.email },
      { id: 'hiredOn', title: say('employee.hiredOn'), sort: 'hiredOn', isExtra: true, cell: (row) => <Day date={row.hiredOn} />, text: (row) => row.hiredOn },
      {
        id: 'leftOn',
        title: say('employee.leftOn'),
        isExtra: true,
        cell: (row) => (row.leftOn ? <Badge>{say('employees.left')}</Badge> : null),
        text: (row) => row.leftOn,
      },
    ],
    [say],
  );
  return (
    <div class="page">
      <PageHeader
        title={say('nav.employees')}
        actions={
          may('manager') && (
            <a class="button primary" href="/employees/new">
              <Icon name="plus" />
              {say('employees.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filtered}>
        <SearchFilter hint={say('employees.search')} />
        <SelectFilter
          name="departmentId"
          label={say('employees.department')}
          options={departments.map(({ id, name }) => ({ value: String(id), title: name }))}
        />
        <SelectFilter
          name="active"
          label={say('employees.active')}
          options={(['true', 'false'] as const).map((value) => ({ value, title: say(`employees.active.${value}`) }))}
        />
      </FilterBar>
      <DataTable
        label={say('nav.employees')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/employees/${row.id}`}
        defaultSort="name"
        exportAs="employees"
        empty={say('employees.empty')}
        filtered={filtered}
      />
    </div>
  );
}
