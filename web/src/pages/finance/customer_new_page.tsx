import { go, leaveFor } from '../../app/router';
import { api } from '../../session/current';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/customers';
import { useTongue } from '../../words/tongue';
import { CustomerFields, NEW_CUSTOMER, useLabels } from './customer_form';

export default function CustomerNewPage() {
  const { say } = useTongue();
  const labels = useLabels();
  const form = useForm({
    name: 'customer.new',
    initial: NEW_CUSTOMER,
    save: async ({ isActive: _, ...values }) => {
      const { data } = await api.post('/api/customers', { body: values });
      toast(say('customers.created', { number: data.number }));
      go(`/customers/${data.id}`, { replace: true });
    },
  });
  return (
    <div class="page narrow">
      <PageHeader back={{ to: '/customers', title: say('nav.customers') }} title={say('nav.customer.new')} />
      <Form form={form} labels={labels} onCancel={() => leaveFor('/customers')}>
        <CustomerFields form={form} isNew />
      </Form>
    </div>
  );
}
