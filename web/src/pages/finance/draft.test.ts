import { describe, expect, it } from 'vitest';
import { flawOf, NEW_DRAFT, nextItem, type Item } from './draft';

const ITEM: Item = { description: 'Block', quantityMilli: 1000, unit: 'Stk', unitPriceCents: 100, vatPercent: 7 };
const CUSTOMER = { id: 1, title: 'Muster' };

describe('a draft', () => {
  it('goes on with the VAT of the item before', () => {
    expect(nextItem([]).vatPercent).toBe(19);
    expect(nextItem([ITEM]).vatPercent).toBe(7);
  });

  it('says what is missing, with the row', () => {
    expect(flawOf(NEW_DRAFT, 0)?.phrase).toBe('customer.needed');
    expect(flawOf({ ...NEW_DRAFT, customer: CUSTOMER }, 0)?.phrase).toBe('items.needed');
    const items = [ITEM, { ...ITEM, description: ' ' }];
    expect(flawOf({ customer: CUSTOMER, items, note: '' }, 1)).toEqual({ field: 'items', phrase: 'items.described', row: 2 });
    expect(flawOf({ customer: CUSTOMER, items: [{ ...ITEM, quantityMilli: 0 }], note: '' }, 1)?.phrase).toBe('items.counted');
    expect(flawOf({ customer: CUSTOMER, items: [ITEM], note: '' }, -1)?.phrase).toBe('items.below_zero');
    expect(flawOf({ customer: CUSTOMER, items: [ITEM], note: '' }, 107)).toBeNull();
  });
});
