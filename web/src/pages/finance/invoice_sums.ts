/** What items amount to, as the server reckons it, so that a draft adds up while one types. Pure. */

export interface ItemAmounts {
  quantityMilli: number;
  unitPriceCents: number;
  vatPercent: number;
}

export interface RateSum {
  vatPercent: number;
  netCents: number;
  vatCents: number;
}

export interface ItemsSum {
  rates: readonly RateSum[];
  netCents: number;
  vatCents: number;
  grossCents: number;
}

/** The law's rates, the usual one first. */
export const VAT_RATES = [19, 7, 0] as const;
export type VatRate = (typeof VAT_RATES)[number];

/** `numerator / denominator` to a whole number, half away from zero; exact beyond what a double holds. */
function rounded(numerator: bigint, denominator: bigint): number {
  const size = numerator < 0n ? -numerator : numerator;
  const halfUp = (2n * size + denominator) / (2n * denominator);
  return Number(numerator < 0n ? -halfUp : halfUp);
}

/** Net and VAT of one item, each rounded to cents. */
export function itemSum({ quantityMilli, unitPriceCents, vatPercent }: ItemAmounts): RateSum {
  const netCents = rounded(BigInt(quantityMilli) * BigInt(unitPriceCents), 1000n);
  return { vatPercent, netCents, vatCents: rounded(BigInt(netCents) * BigInt(vatPercent), 100n) };
}

/** The sums of all items and of each rate, the highest first: an invoice is the sum of its rounded items. */
export function itemsSum(items: readonly ItemAmounts[]): ItemsSum {
  return sumsOf(items.map(itemSum));
}

/** The same of items whose sums are known. */
export function sumsOf(sums: readonly RateSum[]): ItemsSum {
  const rates = new Map<number, RateSum>();
  let netCents = 0;
  let vatCents = 0;
  for (const sum of sums) {
    const before = rates.get(sum.vatPercent) ?? { vatPercent: sum.vatPercent, netCents: 0, vatCents: 0 };
    rates.set(sum.vatPercent, {
      vatPercent: sum.vatPercent,
      netCents: before.netCents + sum.netCents,
      vatCents: before.vatCents + sum.vatCents,
    });
    netCents += sum.netCents;
    vatCents += sum.vatCents;
  }
  return {
    rates: [...rates.values()].sort((one, other) => other.vatPercent - one.vatPercent),
    netCents,
    vatCents,
    grossCents: netCents + vatCents,
  };
}
