import { useTongue } from '../words/tongue';

/** Cents as money; a minus is a minus, and nothing is quiet. */
export function Money({ cents, currency = 'EUR' }: { cents: number; currency?: string }) {
  const { money } = useTongue();
  return <span class={cents === 0 ? 'number quiet' : 'number'}>{money(cents, currency)}</span>;
}
