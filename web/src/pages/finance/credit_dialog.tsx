import { useId } from 'preact/hooks';
import { Problem } from '../../api/problem';
import type { InvoiceView } from '../../api/types';
import { api } from '../../session/current';
import { TextField } from '../../ui/field';
import { NumberInput } from '../../ui/number_input';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './editor.css';
import { ActDialog, Happens } from './act_dialog';
import { asInput, draftOf, type Item } from './draft';
import { POSSIBLE } from './invoice_acts';
import { itemsSum } from './invoice_sums';
import { useSeen } from './seen';

interface Line extends Item {
  isTaken: boolean;
}

/** A credit note of all that is left of an invoice, or of some items in part. */
export function CreditDialog({ invoice, onClose }: { invoice: InvoiceView; onClose: () => void }) {
  const { say, money } = useTongue();
  const seen = useSeen(invoice);
  const { id, number, currency, grossCents, creditedCents, openCents, paidCents, refundedCents } = seen.seen;
  const left = grossCents - creditedCents;
  const lines: Line[] = draftOf(seen.seen).items.map((item) => ({ ...item, isTaken: false }));
  const form = useForm({
    name: `invoice.credit.${id}`,
    initial: { reason: '', isAll: true, lines },
    save: async ({ reason, isAll, lines: chosen }) => {
      const flaw = isAll ? null : flawOf(itemsSum(taken(chosen)).grossCents, taken(chosen).length);
      if (flaw) throw new Problem(422, 'Invalid', flaw, '', null, { errors: [{ field: 'lines', message: flaw }] });
      const { data } = await seen.write((version) =>
        api.post('/api/invoices/{invoice_id}/credit', {
          path: { invoice_id: id },
          body: { version, reason, ...(isAll ? {} : { items: asInput(taken(chosen)) }) },
        }),
      );
      toast(say('credit.done', { number: data.number }));
      onClose();
    },
  });
  const { isAll, lines: chosen } = form.values;
  const amount = isAll ? left : itemsSum(taken(chosen)).grossCents;
  const flawOf = (cents: number, count: number) => {
    if (count === 0 || cents <= 0) return say('credit.none');
    return cents > left ? say('credit.too_much', { amount: money(cents, currency), left: money(left, currency) }) : null;
  };
  const flaw = isAll ? null : flawOf(amount, taken(chosen).length);
  // What is left of the claim after it: above zero the customer owes it, below zero we do.
  const balance = left - paidCents + refundedCents - amount;
  const words = { amount: money(amount, currency), open: money(balance, currency), back: money(-balance, currency) };
  return (
    <ActDialog
      title={say('credit.title', { number: number ?? '' })}
      act={say('credit.act')}
      wide
      form={form}
      seen={seen}
      isPossible={POSSIBLE.credit}
      onClose={onClose}
    >
      <TextField form={form} name="reason" label={say('credit.reason')} hint={say('credit.reason.hint')} maxLength={300} required wide autofocus />
      <fieldset class="choices">
        <legend>{say('credit.how')}</legend>
        <Choice label={say('credit.all', { left: money(left, currency) })} isOn={isAll} choose={() => form.set('isAll', true)} />
        <Choice label={say('credit.some')} isOn={!isAll} choose={() => form.set('isAll', false)} />
      </fieldset>
      {!isAll && (
        <Lines
          lines={chosen}
          currency={currency}
          change={(row, some) => form.set('lines', chosen.map((line, index) => (index === row ? { ...line, ...some } : line)))}
        />
      )}
      <Happens>
        {flaw ? (
          <li class="late">{flaw}</li>
        ) : (
          <>
            <li>{say(balance > 0 ? 'credit.opens' : balance < 0 && openCents <= amount ? 'credit.owes' : 'credit.settles', words)}</li>
            <li>{say('credit.number')}</li>
          </>
        )}
      </Happens>
    </ActDialog>
  );
}

function taken(lines: readonly Line[]): Item[] {
  return lines.filter((line) => line.isTaken).map(({ isTaken: _, ...item }) => item);
}

function Choice({ label, isOn, choose }: { label: string; isOn: boolean; choose: () => void }) {
  const id = useId();
  return (
    <span class="choice">
      <input type="radio" id={id} name="credit-how" checked={isOn} onChange={choose} />
      <label for={id}>{label}</label>
    </span>
  );
}

function Lines({ lines, currency, change }: { lines: readonly Line[]; currency: string; change: (row: number, some: Partial<Line>) => void }) {
  const { say, money } = useTongue();
  return (
    <div class="table-frame">
      <table class="edit-table credit-lines">
        <thead>
          <tr>
            <td />
            <th scope="col" class="stretch">
              {say('item.description')}
            </th>
            <th scope="col" class="end">
              {say('item.quantityMilli')}
            </th>
            <th scope="col" class="end">
              {say('item.unitPriceCents')}
            </th>
            <th scope="col" class="end">
              {say('item.netCents')}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, row) => {
            const net = itemsSum([line]).netCents;
            return (
              <tr key={row}>
                <td class="take">
                  <input
                    type="checkbox"
                    aria-label={say('credit.take', { row: row + 1 })}
                    checked={line.isTaken}
                    onChange={(event) => change(row, { isTaken: event.currentTarget.checked })}
                  />
                </td>
                <td class="stretch">{line.description}</td>
                <td>
                  <NumberInput
                    label={say('item.field', { field: say('item.quantityMilli'), row: row + 1 })}
                    value={line.quantityMilli}
                    units={1000}
                    min={1}
                    set={(quantityMilli) => change(row, { quantityMilli, isTaken: true })}
                  />
                </td>
                <td>
                  <NumberInput
                    label={say('item.field', { field: say('item.unitPriceCents'), row: row + 1 })}
                    value={line.unitPriceCents}
                    units={100}
                    set={(unitPriceCents) => change(row, { unitPriceCents, isTaken: true })}
                  />
                </td>
                <td class={line.isTaken ? 'end number' : 'end number quiet'}>{money(net, currency)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
