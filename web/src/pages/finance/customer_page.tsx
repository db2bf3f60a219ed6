import type { PageProps } from '../../app/pages';
import type { CustomerView } from '../../api/types';
import { useAnswer, useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { DataTable } from '../../ui/data_table';
import { Moment } from '../../ui/day';
import { Details } from '../../ui/details';
import { Icon } from '../../ui/icon';
import { PageHeader } from '../../ui/page_header';
import '../../words/customers';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './finance.css';
import { Figures } from './figures';
import { useInvoiceColumns } from './invoice_columns';

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

/** What the customer owes, and the invoices it is made of. */
function Invoices({ customerId }: { customerId: number }) {
  const { say, count } = useTongue();
  const list = useListing('/api/invoices', { query: { customerId, limit: 20 } });
  const sums = useAnswer('/api/invoices/sums', { query: { customerId } }).body?.data;
  const columns = useInvoiceColumns({ withCustomer: false });
  const listed = `/invoices?customer=${customerId}`;
  return (
    <section class="section">
      <div class="section-head">
        <h2>{say('customers.invoices')}</h2>
        {may('clerk') && (
          <a class="button" href={`/invoices/new?customer=${customerId}`}>
            <Icon name="plus" />
            {say('invoices.new')}
          </a>
        )}
      </div>
      {sums && sums.count > 0 && (
        <Figures
          label={say('sums.label')}
          of={customerId}
          figures={[
            { title: say('sums.open'), cents: sums.openCents, href: `${listed}&status=open`, note: say('sums.invoices', { count: sums.openCount, number: count(sums.openCount) }) },
            {
              title: say('sums.overdue'),
              cents: sums.overdueCents,
              tone: 'late',
              href: `${listed}&status=overdue`,
              note: say('sums.invoices', { count: sums.overdueCount, number: count(sums.overdueCount) }),
            },
            ...(sums.refundDueCents > 0 ? [{ title: say('sums.refund_due'), cents: sums.refundDueCents }] : []),
            { title: say('sums.gross'), cents: sums.grossCents, href: listed },
            { title: say('sums.paid'), cents: sums.paidCents },
          ]}
        />
      )}
      <DataTable
        label={say('customers.invoices')}
        list={list}
        columns={columns.map(({ sort: _, ...column }) => column)}
        rowKey={(row) => row.id}
        href={(row) => `/invoices/${row.id}`}
        exportAs={`invoices-${customerId}`}
        empty={say('customers.no_invoices')}
      />
    </section>
  );
}
