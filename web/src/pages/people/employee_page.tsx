import type { EmployeeView, PaidEmployeeView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer } from '../../live/use_answer';
import { may, useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Day } from '../../ui/day';
import { Details } from '../../ui/details';
import { Icon } from '../../ui/icon';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import '../../words/people';
import { useTongue } from '../../words/tongue';

export default function EmployeePage({ params }: PageProps) {
  const { say } = useTongue();
  const { role } = useUser();
  const id = Number(params['id']);
  const answer = useAnswer('/api/employees/{employee_id}', { path: { employee_id: id } });
  const employee = answer.body?.data;
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/employees', title: say('nav.employees') }}
        title={employee ? `${employee.firstName} ${employee.lastName}` : say('nav.employee')}
        note={employee?.number}
        badge={employee?.leftOn && <Badge>{say('employees.left')}</Badge>}
        actions={
          <>
            {role !== 'clerk' && (
              <a class="button" href={`/time?employee=${id}`}>
                <Icon name="clock" />
                {say('employees.hours')}
              </a>
            )}
            {employee && may('manager') && (
              <a class="button" href={`/employees/${id}/edit`}>
                <Icon name="edit" />
                {say('employees.edit')}
              </a>
            )}
          </>
        }
      />
      <AnswerView answer={answer}>{({ data }) => <Facts employee={data} />}</AnswerView>
    </div>
  );
}

function Facts({ employee }: { employee: EmployeeView | PaidEmployeeView }) {
  const { say, hours } = useTongue();
  const { role } = useUser();
  return (
    <div class="columns">
      <Details
        title={say('employees.person')}
        rows={[
          [say('employee.email'), employee.email && <a href={`mailto:${employee.email}`}>{employee.email}</a>],
          [say('employee.departmentId'), <a href={`/employees?departmentId=${employee.departmentId}`}>{employee.department}</a>],
          [say('employee.jobTitle'), employee.jobTitle],
        ]}
      />
      <Details
        title={say('employees.work')}
        rows={[
          [say('employee.hiredOn'), <Day date={employee.hiredOn} />],
          ...(employee.leftOn ? [[say('employee.leftOn'), <Day date={employee.leftOn} />] as const] : []),
          [say('employee.weeklyMinutes'), hours(employee.weeklyMinutes)],
          [say('employee.vacationDays'), employee.vacationDays],
          // For a clerk the field is not in the answer.
          ...('salaryCents' in employee ? [[say('employee.salaryCents'), <Money cents={employee.salaryCents} currency="EUR" />] as const] : []),
        ]}
      />
      {role !== 'clerk' && <Allowance employeeId={employee.id} />}
    </div>
  );
}

function Allowance({ employeeId }: { employeeId: number }) {
  const { say } = useTongue();
  const year = Number(companyToday().slice(0, 4));
  const answer = useAnswer('/api/leave-requests/allowance', { query: { employeeId, year } });
  if (!answer.body) return null;
  const { entitled, approved, requested, remaining } = answer.body.data;
  return (
    <Details
      title={say('employee.allowance', { year })}
      rows={[
        [say('nav.leave'), say('leave.remaining', { count: remaining, entitled })],
        [say('leave.status'), say('leave.bound', { approved, requested })],
      ]}
    />
  );
}
