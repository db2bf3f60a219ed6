import { describe, expect, it } from 'vitest';
import { itemsSum, itemSum } from './invoice_sums';

describe('what items amount to', () => {
  it('rounds half away from zero, a discount as its mirror', () => {
    expect(itemSum({ quantityMilli: 500, unitPriceCents: 1, vatPercent: 19 }).netCents).toBe(1);
    expect(itemSum({ quantityMilli: 500, unitPriceCents: -1, vatPercent: 19 }).netCents).toBe(-1);
    expect(itemSum({ quantityMilli: 1000, unitPriceCents: 50, vatPercent: 7 })).toEqual({ vatPercent: 7, netCents: 50, vatCents: 4 });
    expect(itemSum({ quantityMilli: 1000, unitPriceCents: -50, vatPercent: 7 }).vatCents).toBe(-4);
  });

  it('adds up the rounded items, by rate and in all', () => {
    const item = { quantityMilli: 1000, unitPriceCents: 3, vatPercent: 19 };
    const sum = itemsSum([item, item, item, { quantityMilli: 2000, unitPriceCents: 10_000, vatPercent: 0 }]);
    expect(sum.rates).toEqual([
      { vatPercent: 19, netCents: 9, vatCents: 3 },
      { vatPercent: 0, netCents: 20_000, vatCents: 0 },
    ]);
    expect([sum.netCents, sum.vatCents, sum.grossCents]).toEqual([20_009, 3, 20_012]);
  });

  it('stays exact where doubles are not', () => {
    expect(itemSum({ quantityMilli: 99_999_999, unitPriceCents: 99_999_999, vatPercent: 0 }).netCents).toBe(9_999_999_800_000);
  });
});
