import type { InvoicePatch, InvoiceView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { leaveFor } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Empty } from '../../ui/empty';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import { asInput, draftOf } from './draft';
import { check, DraftFields, useDraftLabels, useWritten } from './invoice_form';

export default function InvoiceEditPage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/invoices/{invoice_id}', { path: { invoice_id: id } });
  const name = answer.body?.data.number ?? say('invoice.draft');
  return (
    <div class="page">
      <PageHeader back={{ to: `/invoices/${id}`, title: name }} title={say('invoice.edit')} note={answer.body?.data.customerName} />
      <AnswerView answer={answer}>
        {({ data }) =>
          data.status === 'draft' ? (
            <Edit draft={data} />
          ) : (
            <Empty icon="invoices" text={say('invoice.not_a_draft')}>
              <a class="button primary" href={`/invoices/${id}`}>
                {say('invoice.to_it')}
              </a>
            </Empty>
          )
        }
      </AnswerView>
    </div>
  );
}

function Edit({ draft }: { draft: InvoiceView }) {
  const { say } = useTongue();
  const labels = useDraftLabels();
  const written = useWritten();
  const { id, version } = draft;
  const form = useForm({
    name: `invoice.${id}`,
    initial: draftOf(draft),
    version,
    save: async (values, { changed, version: read }) => {
      check(values);
      const body: InvoicePatch = { version: read };
      if (changed.customer) body.customerId = changed.customer.id;
      if (changed.items) body.items = asInput(changed.items);
      if (changed.note !== undefined) body.note = changed.note;
      await api.patch('/api/invoices/{invoice_id}', { path: { invoice_id: id }, body });
      toast(say('invoice.saved'));
      leaveFor(`/invoices/${id}`);
    },
    fromCurrent: (current) => {
      const now = current as InvoiceView;
      return { values: draftOf(now), version: now.version };
    },
  });
  return (
    <Form form={form} labels={labels} written={written} onCancel={() => leaveFor(`/invoices/${id}`)}>
      <DraftFields form={form} />
    </Form>
  );
}
