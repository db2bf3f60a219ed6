import { useTongue } from '../../words/tongue';
import '../../words/invoices';
import './document.css';
import type { ItemsSum } from './invoice_sums';

/** Net, VAT by rate, gross: what stands at the foot of a document. */
export function Totals({ sum, currency = 'EUR' }: { sum: ItemsSum; currency?: string }) {
  const { say, money, percent } = useTongue();
  return (
    <dl class="totals">
      <div>
        <dt>{say('invoice.netCents')}</dt>
        <dd class="number">{money(sum.netCents, currency)}</dd>
      </div>
      {sum.rates.map((rate) => (
        <div key={rate.vatPercent} class="quiet">
          <dt>{say('invoice.vat_of', { rate: percent(rate.vatPercent / 100), net: money(rate.netCents, currency) })}</dt>
          <dd class="number">{money(rate.vatCents, currency)}</dd>
        </div>
      ))}
      <div class="total">
        <dt>{say('invoice.grossCents')}</dt>
        <dd class="number" data-gross>
          {money(sum.grossCents, currency)}
        </dd>
      </div>
    </dl>
  );
}
