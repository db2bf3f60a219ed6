/** The fields of an employee, for a new one and for an old one. */

import type { EmployeeView, PaidEmployeeView } from '../../api/types';
import { useAnswer } from '../../live/use_answer';
import { NumberField, SelectField, TextField } from '../../ui/field';
import { companyToday } from '../../ui/periods';
import type { Form } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';

export interface EmployeeValues {
  firstName: string;
  lastName: string;
  email: string;
  departmentId: number | null;
  jobTitle: string;
  weeklyMinutes: number;
  salaryCents: number;
  vacationDays: number;
  hiredOn: string;
  /** Empty: employed. */
  leftOn: string;
}

export function newEmployee(): EmployeeValues {
  return {
    firstName: '',
    lastName: '',
    email: '',
    departmentId: null,
    jobTitle: '',
    weeklyMinutes: 2400,
    salaryCents: 0,
    vacationDays: 30,
    hiredOn: companyToday(),
    leftOn: '',
  };
}

export function valuesOf(employee: EmployeeView | PaidEmployeeView): EmployeeValues {
  const { firstName, lastName, email, departmentId, jobTitle, weeklyMinutes, vacationDays, hiredOn, leftOn } = employee;
  const salaryCents = 'salaryCents' in employee ? employee.salaryCents : 0;
  return { firstName, lastName, email, departmentId, jobTitle, weeklyMinutes, salaryCents, vacationDays, hiredOn, leftOn: leftOn ?? '' };
}

const NAMES = [
  'firstName', 'lastName', 'email', 'departmentId', 'jobTitle', 'weeklyMinutes', 'salaryCents', 'vacationDays', 'hiredOn', 'leftOn',
] as const satisfies readonly (keyof EmployeeValues)[];

/** What each field is called. */
export function useLabels(): Record<keyof EmployeeValues, string> {
  const { say } = useTongue();
  return Object.fromEntries(NAMES.map((name) => [name, say(`employee.${name}`)])) as Record<keyof EmployeeValues, string>;
}

export function EmployeeFields({ form, isNew }: { form: Form<EmployeeValues>; isNew: boolean }) {
  const { say } = useTongue();
  const labels = useLabels();
  const departments = useAnswer('/api/departments').body?.data ?? [];
  return (
    <>
      <TextField form={form} name="firstName" label={labels.firstName} required maxLength={80} autofocus={isNew} />
      <TextField form={form} name="lastName" label={labels.lastName} required maxLength={80} />
      <TextField form={form} name="email" label={labels.email} type="email" required maxLength={254} />
      <TextField form={form} name="jobTitle" label={labels.jobTitle} required maxLength={120} />
      <SelectField
        form={form}
        name="departmentId"
        label={labels.departmentId}
        required
        none="–"
        options={departments.map(({ id, name }) => ({ value: id, title: name }))}
      />
      <NumberField form={form} name="weeklyMinutes" label={labels.weeklyMinutes} units={60} min={0} max={60 * 60} suffix="h" />
      <NumberField form={form} name="salaryCents" label={labels.salaryCents} units={100} min={0} suffix="€" />
      <NumberField form={form} name="vacationDays" label={labels.vacationDays} min={0} max={366} />
      <TextField form={form} name="hiredOn" label={labels.hiredOn} type="date" required />
      {!isNew && <TextField form={form} name="leftOn" label={labels.leftOn} type="date" hint={say('employee.leftOn.hint')} />}
    </>
  );
}
