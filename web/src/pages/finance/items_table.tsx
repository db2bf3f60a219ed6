import type { InvoiceItemView } from '../../api/types';
import { useTongue } from '../../words/tongue';
import './document.css';
import '../../words/invoices';
import { sumsOf } from './invoice_sums';
import { Totals } from './totals';

/** The items of a document and what they add up to. */
export function ItemsTable({ items, currency }: { items: readonly InvoiceItemView[]; currency: string }) {
  const { say, money, quantity, percent } = useTongue();
  return (
    <section class="card items-card">
      <h2>{say('invoice.items')}</h2>
      <div class="items-scroll" tabIndex={0} role="region" aria-label={say('invoice.items')}>
        <table class="plain-table items-table">
          <thead>
            <tr>
              <th scope="col">{say('item.position')}</th>
              <th scope="col">{say('item.description')}</th>
              <th scope="col" class="end item-part">
                {say('item.quantityMilli')}
              </th>
              <th scope="col" class="end item-part">
                {say('item.unitPriceCents')}
              </th>
              <th scope="col" class="end item-part">
                {say('item.vatPercent')}
              </th>
              <th scope="col" class="end">
                {say('item.netCents')}
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.position}>
                <td class="quiet number">{item.position}</td>
                <td class="said">
                  {item.description}
                  <span class="item-how quiet small">
                    {`${quantity(item.quantityMilli)} ${item.unit} × ${money(item.unitPriceCents, currency)}, ${percent(item.vatPercent / 100)}`}
                  </span>
                </td>
                <td class="end number item-part">
                  {quantity(item.quantityMilli)} {item.unit}
                </td>
                <td class="end number item-part">{money(item.unitPriceCents, currency)}</td>
                <td class="end number quiet item-part">{percent(item.vatPercent / 100)}</td>
                <td class="end number">{money(item.netCents, currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Totals sum={sumsOf(items)} currency={currency} />
    </section>
  );
}
