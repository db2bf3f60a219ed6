import type { PageProps } from '../../app/pages';
import type { CustomerView, InvoiceRow, InvoiceStatus } from '../../api/types';
import { useAnswer, useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge, type Tone } from '../../ui/badge';
import { DataTable, type Column } from '../../ui/data_table';
import { Day, Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { Icon } from '../../ui/icon';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import '../../words/customers';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';

export default function CustomerPage({ params }: PageProps) {
  const { say } = useTongue();
  const id = Number(params['id']);
  const answer = useAnswer('/api/customers/{customer_id}', { path: { customer_id: id } });
  const customer = answer.body?.data;
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/customers', title: say('nav.customers') }}
        title={customer?.name ?? say('nav.customer')}
        note={customer?.number}
        badge={customer && !customer.isActive && <Badge>{say('customer.inactive')}</Badge>}
        actions={
          customer &&
          may('clerk') && (
            <a class="button" href={`/customers/${id}/edit`}>
              <Icon name="edit" />
              {say('customers.edit')}
            </a>
          )
        }
      />
      <AnswerView answer={answer}>{({ data }) => <Facts customer={data} />}</AnswerView>
      {customer && <Invoices customerId={id} />}
    </div>
  );
}

function Facts({ customer }: { customer: CustomerView }) {
  const { say } = useTongue();
  return (
    <div class="columns">
      <Details
        title={say('customers.address')}
        rows={[
          [say('customer.street'), customer.street],
          [say('customer.city'), `${customer.postalCode} ${customer.city}`.trim()],
          [say('customer.country'), customer.country],
        ]}
      />
      <Details
        title={say('customers.contact')}
        rows={[
          [say('customer.contact'), customer.contact],
          [say('customer.email'), customer.email && <a href={`mailto:${customer.email}`}>{customer.email}</a>],
          [say('customer.phone'), customer.phone && <a href={`tel:${customer.phone.replace(/[^+\d]/g, '')}`}>{customer.phone}</a>],
        ]}
      />
      <Details
        title={say('customers.terms')}
        rows={[
          [say('customer.paymentDays'), say('customer.days', { count: customer.paymentDays })],
          [say('customer.vatId'), customer.vatId],
          [say('customer.createdAt'), <Moment at={customer.createdAt} />],
        ]}
      />
    </div>
  );
}

const TONES: Record<InvoiceStatus, Tone> = { draft: 'plain', sent: 'active', overdue: 'late', paid: 'good', cancelled: 'plain' };

function Invoices({ customerId }: { customerId: number }) {
  const { say } = useTongue();
  const list = useListing('/api/invoices', { query: { customerId, limit: 20 } });
  const columns: Column<InvoiceRow>[] = [
    { id: 'number', title: say('invoice.number'), isMain: true, cell: (row) => row.number ?? say('invoice.draft'), text: (row) => row.number },
    { id: 'issued', title: say('invoice.issueDate'), cell: (row) => <Day date={row.issueDate} />, text: (row) => row.issueDate },
    { id: 'due', title: say('invoice.dueDate'), isExtra: true, cell: (row) => <Day date={row.dueDate} />, text: (row) => row.dueDate },
    {
      id: 'status',
      title: say('invoice.status'),
      cell: (row) => <Badge tone={TONES[row.status]}>{say(`invoice_status.${row.status}`)}</Badge>,
      text: (row) => say(`invoice_status.${row.status}`),
    },
    { id: 'gross', title: say('invoice.grossCents'), align: 'end', cell: (row) => <Money cents={row.grossCents} currency={row.currency} />, text: (row) => row.grossCents / 100 },
    { id: 'open', title: say('invoice.openCents'), align: 'end', cell: (row) => <Money cents={row.openCents} currency={row.currency} />, text: (row) => row.openCents / 100 },
  ];
  return (
    <section class="section">
      <h2>{say('customers.invoices')}</h2>
      <DataTable label={say('customers.invoices')} list={list} columns={columns} rowKey={(row) => row.id} exportAs={`invoices-${customerId}`} empty={say('customers.no_invoices')} />
    </section>
  );
}
