import type { InvoiceView } from '../../api/types';
import { api } from '../../session/current';
import { companyToday } from '../../ui/periods';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { useTongue } from '../../words/tongue';
import { ActDialog, Happens } from './act_dialog';
import { dayAfter, daysBetween } from './days';
import { POSSIBLE } from './invoice_acts';
import { useSeen } from './seen';

interface Props {
  invoice: InvoiceView;
  onClose: () => void;
}

export function SendDialog({ invoice, onClose }: Props) {
  const { say, money, day } = useTongue();
  const seen = useSeen(invoice);
  const { id, customerName, grossCents, currency, issueDate, dueDate } = seen.seen;
  const form = useForm({
    name: `invoice.send.${id}`,
    initial: {},
    save: async () => {
      const { data } = await seen.write((version) => api.post('/api/invoices/{invoice_id}/send', { path: { invoice_id: id }, body: { version } }));
      toast(say('send.done', { number: data.number ?? '' }));
      onClose();
    },
  });
  const due = dayAfter(companyToday(), daysBetween(issueDate, dueDate));
  return (
    <ActDialog title={say('send.title')} act={say('send.act')} form={form} seen={seen} isPossible={POSSIBLE.send} onClose={onClose}>
      <Happens>
        <li>{say('send.number')}</li>
        <li>{say('send.dates', { due: day(due) })}</li>
        <li>{say('send.posts', { gross: money(grossCents, currency), customer: customerName })}</li>
        <li>{say('send.final')}</li>
      </Happens>
    </ActDialog>
  );
}

/** Cancelling what was sent, or discarding a draft. */
export function CancelDialog({ invoice, onClose }: Props) {
  const { say, money } = useTongue();
  const seen = useSeen(invoice);
  const { id, number, status, grossCents, currency } = seen.seen;
  const isDraft = status === 'draft';
  const form = useForm({
    name: `invoice.cancel.${id}`,
    initial: {},
    save: async () => {
      await seen.write((version) => api.post('/api/invoices/{invoice_id}/cancel', { path: { invoice_id: id }, body: { version } }));
      toast(say(isDraft ? 'discard.done' : 'cancel.done'));
      onClose();
    },
  });
  return (
    <ActDialog
      title={isDraft ? say('discard.title') : say('cancel.title', { number: number ?? '' })}
      act={say(isDraft ? 'discard.act' : 'cancel.act')}
      isDanger
      form={form}
      seen={seen}
      isPossible={POSSIBLE.cancel}
      onClose={onClose}
    >
      <Happens>
        {isDraft ? (
          <li>{say('discard.happens')}</li>
        ) : (
          <>
            <li>{say('cancel.posts', { gross: money(grossCents, currency) })}</li>
            <li>{say('cancel.number')}</li>
          </>
        )}
        <li>{say('cancel.final')}</li>
      </Happens>
    </ActDialog>
  );
}
