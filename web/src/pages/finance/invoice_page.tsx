import { useState } from 'preact/hooks';
import type { InvoiceView } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useAnswer } from '../../live/use_answer';
import { may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Button } from '../../ui/button';
import { Day } from '../../ui/day';
import { Details } from '../../ui/details';
import { Icon } from '../../ui/icon';
import { Menu } from '../../ui/menu';
import { PageHeader } from '../../ui/page_header';
import '../../words/invoices';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';
import './acts.css';
import './document.css';
import { CreditDialog } from './credit_dialog';
import { DueDay } from './due_day';
import { Figures } from './figures';
import { InvoiceHistory } from './invoice_history';
import { nextAct, POSSIBLE, type Act } from './invoice_acts';
import { ItemsTable } from './items_table';
import { Movements } from './movements';
import { PayDialog } from './pay_dialog';
import { PdfMenu } from './pdf_menu';
import { CancelDialog, SendDialog } from './send_dialog';
import { StatusBadge } from './status_badge';

export default function InvoicePage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/invoices/{invoice_id}', { path: { invoice_id: id } });
  const invoice = answer.body?.data;
  const [act, setAct] = useState<Act | null>(null);
  const close = () => setAct(null);
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/invoices', title: say('nav.invoices') }}
        title={invoice ? (invoice.number ?? say('invoice.draft')) : say('nav.invoice')}
        note={invoice && <a href={`/customers/${invoice.customerId}`}>{invoice.customerName}</a>}
        badge={invoice && <StatusBadge status={invoice.status} />}
        actions={invoice && <Acts invoice={invoice} begin={setAct} />}
      />
      <AnswerView answer={answer}>{({ data }) => <Document invoice={data} />}</AnswerView>
      {invoice && act === 'send' && <SendDialog invoice={invoice} onClose={close} />}
      {invoice && act === 'cancel' && <CancelDialog invoice={invoice} onClose={close} />}
      {invoice && act === 'credit' && <CreditDialog invoice={invoice} onClose={close} />}
      {invoice && (act === 'pay' || act === 'refund') && <PayDialog kind={act} invoice={invoice} onClose={close} />}
    </div>
  );
}

/** The act that comes next as a button, the others in a menu. */
function Acts({ invoice, begin }: { invoice: InvoiceView; begin: (act: Act) => void }) {
  const { say } = useTongue();
  const isDraft = invoice.status === 'draft';
  const next = may('clerk') ? nextAct(invoice) : null;
  const words: Record<Act, string> = {
    send: say('send.act'),
    pay: say('pay.act'),
    refund: say('refund.act'),
    credit: say('credit.act'),
    cancel: say(isDraft ? 'discard.act' : 'cancel.act'),
  };
  const others = (['pay', 'credit', 'cancel'] as const).filter(
    (act) => act !== next && POSSIBLE[act](invoice) && may(act === 'cancel' ? 'manager' : 'clerk'),
  );
  return (
    <>
      <PdfMenu of="invoice" id={invoice.id} />
      {isDraft && may('clerk') && (
        <a class="button" href={`/invoices/${invoice.id}/edit`}>
          <Icon name="edit" />
          {say('invoice.edit')}
        </a>
      )}
      {others.length > 0 && (
        <Menu
          label={say('invoice.more')}
          class="act-menu"
          face={
            <span class="button">
              {say('invoice.more')}
              <Icon name="down" />
            </span>
          }
        >
          {(shut) =>
            others.map((act) => (
              <button
                type="button"
                class="menu-item"
                key={act}
                onClick={() => {
                  shut();
                  begin(act);
                }}
              >
                <Icon name={act === 'credit' ? 'credit' : act === 'pay' ? 'payments' : 'trash'} />
                {words[act]}
              </button>
            ))
          }
        </Menu>
      )}
      {next && (
        <Button kind="primary" icon={next === 'send' ? 'right' : next === 'refund' ? 'undo' : 'payments'} onClick={() => begin(next)}>
          {words[next]}
        </Button>
      )}
    </>
  );
}

function Document({ invoice }: { invoice: InvoiceView }) {
  const { say } = useTongue();
  const { id, currency, status } = invoice;
  return (
    <>
      <Figures
        label={say('invoice.amounts')}
        of={id}
        currency={currency}
        figures={[
          { title: say('invoice.grossCents'), cents: invoice.grossCents },
          { title: say('invoice.paidCents'), cents: invoice.paidCents },
          ...(invoice.creditedCents > 0 ? [{ title: say('invoice.creditedCents'), cents: invoice.creditedCents }] : []),
          ...(invoice.refundedCents > 0 ? [{ title: say('invoice.refundedCents'), cents: invoice.refundedCents }] : []),
          ...(invoice.refundDueCents > 0
            ? [{ title: say('invoice.refundDueCents'), cents: invoice.refundDueCents, tone: 'late' as const }]
            : [{ title: say('invoice.openCents'), cents: invoice.openCents, ...(status === 'overdue' ? { tone: 'late' as const } : {}) }]),
        ]}
      />
      <div class="invoice-board">
        <div class="invoice-main">
          <ItemsTable items={invoice.items} currency={currency} />
          {invoice.note && (
            <section class="card">
              <h2>{say('invoice.note')}</h2>
              <p class="said">{invoice.note}</p>
            </section>
          )}
          {status !== 'draft' && <Movements invoice={invoice} />}
        </div>
        <div class="invoice-side">
          <Details
            title={say('invoice.facts')}
            rows={[
              [say('invoice.number'), invoice.number],
              [say('invoice.customer'), <a href={`/customers/${invoice.customerId}`}>{invoice.customerName}</a>],
              [say('invoice.issueDate'), <Day date={invoice.issueDate} />],
              [say('invoice.dueDate'), <DueDay invoice={invoice} />],
            ]}
          />
          <InvoiceHistory invoice={invoice} />
        </div>
      </div>
    </>
  );
}
