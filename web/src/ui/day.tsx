import { useTongue } from '../words/tongue';

/** A business date. */
export function Day({ date }: { date: string | null }) {
  const tongue = useTongue();
  return date ? <time dateTime={date}>{tongue.date(date)}</time> : <span class="quiet">–</span>;
}

/** An instant, in the visitor's own time. */
export function Moment({ at }: { at: string | null }) {
  const { moment } = useTongue();
  return at ? <time dateTime={at}>{moment(new Date(at))}</time> : <span class="quiet">–</span>;
}
