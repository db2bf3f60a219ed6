import type { PageProps } from '../../app/pages';
import { useAnswer } from '../../live/use_answer';
import { AnswerView } from '../../ui/answer_view';
import { Day } from '../../ui/day';
import { Details } from '../../ui/details';
import { PageHeader } from '../../ui/page_header';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './document.css';
import { ItemsTable } from './items_table';
import { PdfMenu } from './pdf_menu';

export default function CreditNotePage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/credit-notes/{credit_note_id}', { path: { credit_note_id: id } });
  const note = answer.body?.data;
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/credit-notes', title: say('nav.credit_notes') }}
        title={note?.number ?? say('nav.credit_note')}
        note={note && <a href={`/customers/${note.customerId}`}>{note.customerName}</a>}
        actions={note && <PdfMenu of="credit_note" id={note.id} />}
      />
      <AnswerView answer={answer}>
        {({ data }) => (
          <div class="invoice-board">
            <ItemsTable items={data.items} currency={data.currency} />
            <Details
              title={say('invoice.facts')}
              rows={[
                [say('credit_note.corrects'), <a href={`/invoices/${data.invoiceId}`}>{data.invoiceNumber}</a>],
                [say('invoice.customer'), <a href={`/customers/${data.customerId}`}>{data.customerName}</a>],
                [say('invoice.issueDate'), <Day date={data.issueDate} />],
                [say('credit.reason'), data.reason],
              ]}
            />
          </div>
        )}
      </AnswerView>
    </div>
  );
}
