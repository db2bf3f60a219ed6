import { useEffect, useState } from 'preact/hooks';
import { numberFormat } from '../words/number_format';
import { useTongue } from '../words/tongue';
import { readNumber } from './number';

interface Props {
  /** Its name for those who do not see the column's. */
  label: string;
  value: number;
  set: (value: number) => void;
  /** How many of the value's units are one of the shown: 100 for cents, 1000 for quantities. */
  units: number;
  min?: number;
  /** Nothing is shown, and typed, for 0. */
  isZeroEmpty?: boolean;
  placeholder?: string;
  'data-column'?: string;
}

/** A number in a cell of a table one types into, read as the visitor's language writes it. */
export function NumberInput({ label, value, set, units, min, isZeroEmpty = false, ...rest }: Props) {
  const { language } = useTongue();
  const digits = Math.round(Math.log10(units));
  const written = (number: number) =>
    isZeroEmpty && number === 0
      ? ''
      : numberFormat(language, { least: digits === 2 ? 2 : 0, most: digits, isGrouped: false }).format(number / units);
  const readable = (text: string) => (isZeroEmpty && text.trim() === '' ? 0 : readNumber(text, units));
  const [text, setText] = useState(() => written(value));
  const read = readable(text);
  useEffect(() => {
    if (read !== value) setText(written(value));
  }, [value, language]);
  const isWrong = read === null || (min !== undefined && read < min);
  return (
    <input
      {...rest}
      class="number-cell"
      aria-label={label}
      aria-invalid={isWrong || undefined}
      value={text}
      inputMode="decimal"
      autocomplete="off"
      onInput={(event) => {
        setText(event.currentTarget.value);
        const number = readable(event.currentTarget.value);
        if (number !== null) set(number);
      }}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={() => read !== null && setText(written(read))}
    />
  );
}
