import type { AccountKind } from '../../api/types';
import { go, leaveFor } from '../../app/router';
import { api } from '../../session/current';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { KINDS } from './account_kinds';

export default function AccountNewPage() {
  const { say } = useTongue();
  const labels = { number: say('account.number'), name: say('account.name'), kind: say('account.kind') };
  const form = useForm({
    name: 'account.new',
    initial: { number: '', name: '', kind: 'expense' as AccountKind },
    save: async (values) => {
      const { data } = await api.post('/api/accounts', { body: values });
      toast(say('accounts.created', { number: data.number }));
      go(`/accounts/${data.id}`, { replace: true });
    },
  });
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/accounts', title: say('nav.accounts') }} title={say('nav.account.new')} />
      <Form form={form} labels={labels} onCancel={() => leaveFor('/accounts')}>
        <TextField form={form} name="number" label={labels.number} hint={say('account.number.hint')} required maxLength={8} autofocus />
        <SelectField form={form} name="kind" label={labels.kind} options={KINDS.map((value) => ({ value, title: say(`account.kind.${value}`) }))} />
        <TextField form={form} name="name" label={labels.name} required maxLength={120} wide />
      </Form>
    </div>
  );
}
