import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { DepartmentView } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { api, may } from '../../session/current';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/confirm';
import { DataTable, type Column } from '../../ui/data_table';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import './people.css';

export default function DepartmentsPage() {
  const { say, count } = useTongue();
  const [shown, setShown] = useState<DepartmentView | 'new' | null>(null);
  const list = useListing('/api/departments');
  const remove = async (department: DepartmentView) => {
    const question = { title: say('departments.delete'), text: say('departments.delete.text', { name: department.name }), act: say('departments.delete') };
    if (!(await confirm({ ...question, isDanger: true }))) return;
    const { id, version } = department;
    await api
      .delete('/api/departments/{department_id}', { path: { department_id: id }, query: { version } })
      .catch((error: unknown) => toast(asProblem(error).detail, { isProblem: true }));
  };
  const columns: Column<DepartmentView>[] = [
    { id: 'name', title: say('department.name'), isMain: true, cell: (row) => row.name, text: (row) => row.name },
    { id: 'costCenter', title: say('department.costCenter'), cell: (row) => <span class="number">{row.costCenter}</span>, text: (row) => row.costCenter },
    { id: 'employees', title: say('department.employees'), align: 'end', cell: (row) => count(row.employees), text: (row) => row.employees },
  ];
  if (may('manager')) {
    columns.push({
      id: 'acts',
      title: '',
      align: 'end',
      cell: (row) => (
        <span class="row-acts">
          <IconButton icon="edit" label={`${say('departments.change')}: ${row.name}`} onClick={() => setShown(row)} />
          <IconButton icon="trash" label={`${say('departments.delete')}: ${row.name}`} onClick={() => void remove(row)} />
        </span>
      ),
    });
  }
  return (
    <div class="page narrow">
      <PageHeader
        title={say('nav.departments')}
        actions={
          may('manager') && (
            <Button kind="primary" icon="plus" onClick={() => setShown('new')}>
              {say('departments.new')}
            </Button>
          )
        }
      />
      <DataTable
        label={say('nav.departments')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/employees?departmentId=${row.id}`}
        exportAs="departments"
        empty={say('departments.none')}
      />
      {shown && <DepartmentDialog department={shown === 'new' ? null : shown} onClose={() => setShown(null)} />}
    </div>
  );
}

function DepartmentDialog({ department, onClose }: { department: DepartmentView | null; onClose: () => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: `department.${department?.id ?? 'new'}`,
    initial: { name: department?.name ?? '', costCenter: department?.costCenter ?? '' },
    version: department?.version ?? 0,
    save: async (values, { changed, version }) => {
      if (department) await api.patch('/api/departments/{department_id}', { path: { department_id: department.id }, body: { version, ...changed } });
      else await api.post('/api/departments', { body: values });
      toast(say('form.saved'));
      onClose();
    },
    fromCurrent: (current) => {
      const { name, costCenter, version } = current as DepartmentView;
      return { values: { name, costCenter }, version };
    },
  });
  const labels = { name: say('department.name'), costCenter: say('department.costCenter') };
  return (
    <Dialog title={say(department ? 'departments.change' : 'departments.new')} onClose={onClose}>
      <Form form={form} labels={labels} onCancel={onClose}>
        <TextField form={form} name="name" label={labels.name} required maxLength={120} wide autofocus />
        <TextField form={form} name="costCenter" label={labels.costCenter} required maxLength={20} />
      </Form>
    </Dialog>
  );
}
