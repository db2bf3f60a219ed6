import { useId } from 'preact/hooks';
import { go, leaveFor } from '../../app/router';
import { api, may } from '../../session/current';
import { Field, SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import { useForm } from '../../ui/use_form';
import '../../words/jobs';
import { useTongue } from '../../words/tongue';
import { KINDS, NEEDS, parametersOf, rowsOf, type JobValues } from './job_kinds';
import './jobs.css';

const EXAMPLE = 'externalNumber;name;city;email\n4711;Aalener Apparatebau GmbH;Aalen;info@aab.example';

export default function JobNewPage() {
  const { say, count } = useTongue();
  const initial: JobValues = { kind: 'export', subject: 'invoices', csv: '', month: companyToday().slice(0, 7), format: 'csv' };
  const form = useForm<JobValues>({
    name: 'job.new',
    initial,
    save: async (values) => {
      const { data } = await api.post('/api/batch/jobs', { body: { kind: values.kind, parameters: parametersOf(values) } });
      go(`/jobs/${data.id}`, { replace: true });
    },
  });
  const { kind, csv } = form.values;
  const subjects = (['invoices', 'customers', 'payments', ...(may('manager') ? (['journal'] as const) : [])] as const);
  const labels = { subject: say('jobs.subject'), csv: say('jobs.csv'), month: say('jobs.month'), format: say('jobs.format') };
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/jobs', title: say('nav.jobs') }} title={say('nav.jobs.new')} />
      <Form form={form} labels={labels} act={say('jobs.begin')} onCancel={() => leaveFor('/jobs')}>
        <fieldset class="job-kinds field wide">
          <legend>{say('jobs.kind')}</legend>
          {KINDS.filter((one) => may(NEEDS[one])).map((one) => (
            <KindCard key={one} kind={one} isChosen={one === kind} choose={() => form.set('kind', one)} />
          ))}
        </fieldset>
        {kind === 'export' && (
          <SelectField form={form} name="subject" label={labels.subject} options={subjects.map((value) => ({ value, title: say(`jobs.subject.${value}`) }))} />
        )}
        {kind === 'report.month-end' && (
          <>
            <TextField form={form} name="month" type="month" label={labels.month} required />
            <SelectField form={form} name="format" label={labels.format} options={[{ value: 'csv', title: 'CSV' }, { value: 'json', title: 'JSON' }]} />
          </>
        )}
        {kind === 'customers.import' && (
          <>
            <Field label={say('jobs.file')} hint={say('jobs.file.hint')}>
              {(tied) => (
                <input
                  {...tied}
                  type="file"
                  accept=".csv,.txt,text/csv,text/plain"
                  onChange={(event) => {
                    const file = event.currentTarget.files?.[0];
                    void file?.text().then((text) => form.set('csv', text));
                  }}
                />
              )}
            </Field>
            <TextField form={form} name="csv" label={labels.csv} rows={8} required wide hint={csv ? say('jobs.rows', { count: rowsOf(csv), number: count(rowsOf(csv)) }) : say('jobs.csv.hint', { example: EXAMPLE.split('\n')[0] ?? '' })} />
          </>
        )}
      </Form>
    </div>
  );
}

function KindCard({ kind, isChosen, choose }: { kind: JobValues['kind']; isChosen: boolean; choose: () => void }) {
  const { say } = useTongue();
  const id = useId();
  return (
    <div class="job-kind" data-chosen={isChosen ? '' : undefined}>
      <input type="radio" id={id} name="kind" value={kind} checked={isChosen} onChange={choose} />
      <label for={id}>
        {say(`job_kind.${kind}`)}
        <span class="quiet small">{say(`job_kind.${kind}.about`)}</span>
      </label>
    </div>
  );
}
