import { go, leaveFor } from '../../app/router';
import { api } from '../../session/current';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import { EmployeeFields, newEmployee, useLabels } from './employee_form';

export default function EmployeeNewPage() {
  const { say } = useTongue();
  const labels = useLabels();
  const form = useForm({
    name: 'employee.new',
    initial: newEmployee(),
    save: async ({ leftOn: _, departmentId, ...values }) => {
      const { data } = await api.post('/api/employees', { body: { ...values, departmentId: departmentId ?? 0 } });
      toast(say('employees.created', { number: data.number }));
      go(`/employees/${data.id}`, { replace: true });
    },
  });
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/employees', title: say('nav.employees') }} title={say('employees.new')} />
      <Form form={form} labels={labels} onCancel={() => leaveFor('/employees')}>
        <EmployeeFields form={form} isNew />
      </Form>
    </div>
  );
}
