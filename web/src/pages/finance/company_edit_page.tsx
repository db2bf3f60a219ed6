import type { CompanyView } from '../../api/types';
import { leaveFor } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/company';
import '../../words/customers';
import { useTongue } from '../../words/tongue';

type Values = Omit<CompanyView, 'version'>;

function valuesOf({ version: _, ...values }: CompanyView): Values {
  return values;
}

export default function CompanyEditPage() {
  const { say } = useTongue();
  const answer = useAnswer('/api/company');
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/company', title: say('nav.company') }} title={say('customers.edit')} note={say('company.lead')} />
      <AnswerView answer={answer}>{({ data }) => <Edit company={data} />}</AnswerView>
    </div>
  );
}

function Edit({ company }: { company: CompanyView }) {
  const { say } = useTongue();
  const names = Object.keys(valuesOf(company)) as (keyof Values)[];
  const labels = Object.fromEntries(names.map((name) => [name, say(`company.${name}`)])) as Record<keyof Values, string>;
  const form = useForm({
    name: 'company',
    initial: valuesOf(company),
    version: company.version,
    save: async (_, { changed, version }) => {
      await api.patch('/api/company', { body: { version, ...changed } });
      toast(say('form.saved'));
      leaveFor('/company');
    },
    fromCurrent: (current) => {
      const now = current as CompanyView;
      return { values: valuesOf(now), version: now.version };
    },
  });
  return (
    <Form form={form} labels={labels} onCancel={() => leaveFor('/company')}>
      <TextField form={form} name="name" label={labels.name} required maxLength={160} wide autofocus />
      <TextField form={form} name="street" label={labels.street} maxLength={120} wide />
      <TextField form={form} name="postalCode" label={labels.postalCode} maxLength={12} />
      <TextField form={form} name="city" label={labels.city} maxLength={80} />
      <TextField form={form} name="country" label={labels.country} hint={say('company.country.hint')} required maxLength={2} />
      <TextField form={form} name="email" label={labels.email} type="email" maxLength={254} />
      <TextField form={form} name="phone" label={labels.phone} type="tel" maxLength={40} />
      <TextField form={form} name="bank" label={labels.bank} maxLength={80} />
      <TextField form={form} name="iban" label={labels.iban} maxLength={42} />
      <TextField form={form} name="bic" label={labels.bic} maxLength={11} />
      <TextField form={form} name="vatId" label={labels.vatId} maxLength={20} />
      <TextField form={form} name="taxNumber" label={labels.taxNumber} maxLength={20} />
      <TextField form={form} name="tradeRegister" label={labels.tradeRegister} maxLength={120} wide />
    </Form>
  );
}
