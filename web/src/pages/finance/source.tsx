import '../../words/books';
import { useTongue } from '../../words/tongue';

export const SOURCES = ['manual', 'invoice', 'payment', 'credit', 'refund', 'cancellation', 'reversal', 'purchase', 'payroll', 'monthly', 'tax', 'cash', 'opening'] as const;

/** What an entry was made from, as in `invoice:17`; a link where there is a page of it. */
export function Source({ source }: { source: string }) {
  const { say, knows } = useTongue();
  const [kind = '', id] = source.split(':');
  const phrase = `source.${kind}`;
  const name = knows(phrase) ? say(phrase) : source;
  const page = { invoice: 'invoices', cancellation: 'invoices', credit: 'credit-notes', reversal: 'journal' }[kind];
  return page && id ? <a href={`/${page}/${id}`}>{name}</a> : <>{name}</>;
}
