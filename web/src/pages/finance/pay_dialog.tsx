import { useEffect } from 'preact/hooks';
import { Problem } from '../../api/problem';
import type { InvoiceView, PaymentMethod } from '../../api/types';
import { api } from '../../session/current';
import { NumberField, SelectField, TextField } from '../../ui/field';
import { companyToday } from '../../ui/periods';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import { ActDialog, Happens } from './act_dialog';
import { POSSIBLE } from './invoice_acts';
import { useSeen } from './seen';

export const METHODS: readonly PaymentMethod[] = ['transfer', 'debit', 'card', 'cash'];

interface Props {
  /** Money that comes in, or money that goes back. */
  kind: 'pay' | 'refund';
  invoice: InvoiceView;
  onClose: () => void;
}

/** A payment received, or a refund: all that is open is proposed. */
export function PayDialog({ kind, invoice, onClose }: Props) {
  const { say, money } = useTongue();
  const seen = useSeen(invoice);
  const { id, number, currency, customerName } = seen.seen;
  const isPayment = kind === 'pay';
  const open = isPayment ? seen.seen.openCents : seen.seen.refundDueCents;
  const form = useForm({
    name: `invoice.${kind}.${id}`,
    initial: { amountCents: open, method: 'transfer' as PaymentMethod, paidOn: companyToday(), reference: '' },
    save: async (values) => {
      if (values.amountCents > open || values.amountCents < 1) {
        const message =
          values.amountCents < 1 ? say('pay.nothing') : say(isPayment ? 'pay.too_much' : 'refund.too_much', { open: money(open, currency) });
        throw new Problem(422, 'Invalid', message, '', null, { errors: [{ field: 'amountCents', message }] });
      }
      await seen.write((version) => {
        const asked = { path: { invoice_id: id }, body: { version, ...values } };
        return isPayment ? api.post('/api/invoices/{invoice_id}/pay', asked) : api.post('/api/invoices/{invoice_id}/refund', asked);
      });
      toast(say(isPayment ? 'pay.done' : 'refund.done', { amount: money(values.amountCents, currency) }));
      onClose();
    },
  });
  const { amountCents, method } = form.values;
  // Another amount is open now: it is what is proposed.
  useEffect(() => {
    if (form.initial.amountCents !== open && amountCents === form.initial.amountCents) form.set('amountCents', open);
  }, [open]);
  const rest = open - amountCents;
  const words = {
    amount: money(amountCents, currency),
    account: say(method === 'cash' ? 'method.account.cash' : 'method.account.bank'),
    rest: money(rest, currency),
  };
  return (
    <ActDialog
      title={isPayment ? say('pay.title', { number: number ?? '' }) : say('refund.title', { customer: customerName })}
      act={say(isPayment ? 'pay.act' : 'refund.act')}
      form={form}
      seen={seen}
      isPossible={POSSIBLE[kind]}
      onClose={onClose}
    >
      <div class="fields">
        <NumberField
          form={form}
          name="amountCents"
          label={say('pay.amountCents')}
          hint={say(isPayment ? 'pay.amountCents.hint' : 'refund.hint', { open: money(open, currency) })}
          units={100}
          suffix={currency}
          required
          autofocus
        />
        <SelectField form={form} name="method" label={say('pay.method')} options={METHODS.map((value) => ({ value, title: say(`method.${value}`) }))} />
        <TextField form={form} name="paidOn" label={say(isPayment ? 'pay.paidOn' : 'refund.paidOn')} type="date" required />
        <TextField form={form} name="reference" label={say('pay.reference')} maxLength={140} />
      </div>
      <Happens>
        {rest < 0 || amountCents < 1 ? (
          <li class="late">{amountCents < 1 ? say('pay.nothing') : say(isPayment ? 'pay.too_much' : 'refund.too_much', { open: money(open, currency) })}</li>
        ) : (
          <li>{say(isPayment ? (rest === 0 ? 'pay.settles' : 'pay.leaves') : rest === 0 ? 'refund.settles' : 'refund.leaves', words)}</li>
        )}
      </Happens>
    </ActDialog>
  );
}
