import type { EmployeeView, PaidEmployeeView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { leaveFor } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import { EmployeeFields, useLabels, valuesOf } from './employee_form';

export default function EmployeeEditPage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/employees/{employee_id}', { path: { employee_id: id } });
  const employee = answer.body?.data;
  return (
    <div class="page narrow">
      <PageHeader
        back={{ to: `/employees/${id}`, title: employee ? `${employee.firstName} ${employee.lastName}` : say('nav.employee') }}
        title={say('employees.edit')}
        note={employee?.number}
      />
      <AnswerView answer={answer}>{({ data }) => <Edit employee={data} />}</AnswerView>
    </div>
  );
}

function Edit({ employee }: { employee: EmployeeView | PaidEmployeeView }) {
  const { say } = useTongue();
  const labels = useLabels();
  const { id, version } = employee;
  const form = useForm({
    name: `employee.${id}`,
    initial: valuesOf(employee),
    version,
    save: async (_, { changed: { leftOn, departmentId, ...changed }, version: read }) => {
      const body = {
        version: read,
        ...changed,
        ...(departmentId ? { departmentId } : {}),
        ...(leftOn === undefined ? {} : { leftOn: leftOn || null }),
      };
      await api.patch('/api/employees/{employee_id}', { path: { employee_id: id }, body });
      toast(say('form.saved'));
      leaveFor(`/employees/${id}`);
    },
    fromCurrent: (current) => {
      const record = current as PaidEmployeeView;
      return { values: valuesOf(record), version: record.version };
    },
  });
  return (
    <Form form={form} labels={labels} onCancel={() => leaveFor(`/employees/${id}`)}>
      <EmployeeFields form={form} isNew={false} />
    </Form>
  );
}
