import { useBefore } from '../live/changed';
import { useTongue } from '../words/tongue';

interface Props {
  value: number;
  /** What it is the value of: another record is no change. */
  of?: string | number;
  /** How it is written, and how the difference is. */
  write: (value: number) => string;
  writeChange?: (by: number) => string;
}

/** A number that shows for a while by how much it has just changed. */
export function LiveNumber({ value, of = '', write, writeChange }: Props) {
  const { countChange } = useTongue();
  const mark = useBefore(value, of);
  return (
    <span class="live-number" data-changed={mark ? '' : undefined}>
      <span class="number">{write(value)}</span>
      {mark && <span class="change">{(writeChange ?? countChange)(value - mark.before)}</span>}
    </span>
  );
}
