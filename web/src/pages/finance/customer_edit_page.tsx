import type { CustomerView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { leaveFor } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/customers';
import { useTongue } from '../../words/tongue';
import { CustomerFields, useLabels, valuesOf } from './customer_form';

export default function CustomerEditPage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/customers/{customer_id}', { path: { customer_id: id } });
  return (
    <div class="page narrow">
      <PageHeader
        back={{ to: `/customers/${id}`, title: answer.body?.data.name ?? say('nav.customer') }}
        title={say('customers.edit')}
        note={answer.body?.data.number}
      />
      <AnswerView answer={answer}>{({ data }) => <Edit customer={data} />}</AnswerView>
    </div>
  );
}

function Edit({ customer }: { customer: CustomerView }) {
  const { say } = useTongue();
  const labels = useLabels();
  const { id, version } = customer;
  const form = useForm({
    name: `customer.${id}`,
    initial: valuesOf(customer),
    version,
    save: async (_, { changed, version: read }) => {
      await api.patch('/api/customers/{customer_id}', { path: { customer_id: id }, body: { version: read, ...changed } });
      toast(say('form.saved'));
      leaveFor(`/customers/${id}`);
    },
    fromCurrent: (current) => {
      const record = current as CustomerView;
      return { values: valuesOf(record), version: record.version };
    },
  });
  return (
    <Form form={form} labels={labels} onCancel={() => leaveFor(`/customers/${id}`)}>
      <CustomerFields form={form} isNew={false} />
    </Form>
  );
}
