/** A draft as one edits it. Pure. */

import type { InvoiceItemInput, InvoiceItemView, InvoiceView } from '../../api/types';
import type { VatRate } from './invoice_sums';

export interface Item {
  description: string;
  quantityMilli: number;
  unit: string;
  unitPriceCents: number;
  vatPercent: VatRate;
}

export interface DraftValues {
  customer: { id: number; title: string } | null;
  items: Item[];
  note: string;
}

export const NEW_DRAFT: DraftValues = { customer: null, items: [], note: '' };

/** The row one types the next item into: its VAT is that of the item before. */
export function nextItem(items: readonly Item[]): Item {
  return { description: '', quantityMilli: 1000, unit: 'Stk', unitPriceCents: 0, vatPercent: items.at(-1)?.vatPercent ?? 19 };
}

function itemOf({ description, quantityMilli, unit, unitPriceCents, vatPercent }: InvoiceItemView): Item {
  return { description, quantityMilli, unit, unitPriceCents, vatPercent: vatPercent as VatRate };
}

export function draftOf(invoice: Pick<InvoiceView, 'customerId' | 'customerName' | 'items' | 'note'>): DraftValues {
  return {
    customer: { id: invoice.customerId, title: invoice.customerName },
    items: invoice.items.map(itemOf),
    note: invoice.note,
  };
}

export interface Flaw {
  field: 'customer' | 'items';
  phrase: 'customer.needed' | 'items.needed' | 'items.described' | 'items.counted' | 'items.below_zero';
  row?: number;
}

/** What the server would refuse, found before it is asked; null if nothing. `grossCents` is what the items add up to. */
export function flawOf({ customer, items }: DraftValues, grossCents: number): Flaw | null {
  if (!customer) return { field: 'customer', phrase: 'customer.needed' };
  if (items.length === 0) return { field: 'items', phrase: 'items.needed' };
  for (const [index, item] of items.entries()) {
    if (!item.description.trim()) return { field: 'items', phrase: 'items.described', row: index + 1 };
    if (item.quantityMilli < 1 || !item.unit.trim()) return { field: 'items', phrase: 'items.counted', row: index + 1 };
  }
  return grossCents < 0 ? { field: 'items', phrase: 'items.below_zero' } : null;
}

export const asInput = (items: readonly Item[]): InvoiceItemInput[] => items.map((item) => ({ ...item }));
