/** `value` if it is one of `known`, else `otherwise`: for words that come from an address. Pure. */
export function oneOf<const Known extends string>(known: readonly Known[], value: string | undefined, otherwise: Known): Known {
  return known.find((one) => one === value) ?? otherwise;
}
