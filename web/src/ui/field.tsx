/** Fields of a form, each bound to a value by its name. */

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { numberFormat } from '../words/number_format';
import { useTongue } from '../words/tongue';
import { readNumber } from './number';
import type { Form, Values } from './use_form';

/** The names of the values that are of type `T`. */
export type NamesOf<V, T> = { [Name in keyof V]-?: V[Name] extends T ? Name : never }[keyof V] & string;

interface Frame {
  label: string;
  hint?: string | undefined;
  flaw?: string | undefined;
  required?: boolean | undefined;
  /** Takes the whole width. */
  wide?: boolean | undefined;
}

/** A label, what stands under it, and what is wrong; `children` gets what ties the control to them. */
export function Field({
  label,
  hint,
  flaw,
  required,
  wide,
  children,
}: Frame & { children: (tied: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean; required?: boolean }) => ComponentChildren }) {
  const { say } = useTongue();
  const id = useId();
  const said = hint || flaw ? `${id}-said` : null;
  return (
    <div class={wide ? 'field wide' : 'field'}>
      <label for={id}>
        {label}
        {required && (
          <span class="required" title={say('form.required')}>
            {' '}
            *
          </span>
        )}
      </label>
      {children({
        id,
        ...(said ? { 'aria-describedby': said } : {}),
        ...(flaw ? { 'aria-invalid': true } : {}),
        ...(required ? { required: true } : {}),
      })}
      {said && (
        <p id={said} class={flaw ? 'flaw small' : 'quiet small'}>
          {flaw ?? hint}
        </p>
      )}
    </div>
  );
}

interface Bound<V extends Values, T> {
  form: Form<V>;
  name: NamesOf<V, T>;
  label: string;
  hint?: string;
  required?: boolean;
  wide?: boolean;
  autofocus?: boolean;
}

type TextKind = 'text' | 'email' | 'tel' | 'date' | 'time' | 'password' | 'month';

interface TextProps<V extends Values> extends Bound<V, string> {
  type?: TextKind;
  maxLength?: number;
  autocomplete?: string;
  rows?: number;
}

/** One line of text, or several with `rows`; also days (`date`) and times. */
export function TextField<V extends Values>({ form, name, type = 'text', rows, maxLength, autocomplete = 'off', autofocus, ...frame }: TextProps<V>) {
  const shared = {
    name,
    value: form.values[name] as string,
    ...(maxLength ? { maxLength } : {}),
    ...(autofocus ? { autofocus: true } : {}),
  };
  const typed = (event: { currentTarget: { value: string } }) => form.set(name, event.currentTarget.value as V[typeof name]);
  return (
    <Field {...frame} flaw={form.flawOf(name)}>
      {(tied) =>
        rows ? (
          <textarea {...tied} {...shared} rows={rows} onInput={typed} />
        ) : (
          <input {...tied} {...shared} type={type as 'text'} autocomplete={autocomplete} onInput={typed} />
        )
      }
    </Field>
  );
}

interface NumberProps<V extends Values> extends Bound<V, number> {
  min?: number;
  max?: number;
  /** How many of the value's units are one of the shown: 100 for cents, 1000 for quantities. */
  units?: number;
  suffix?: string;
}

/** A number, read as the visitor's language writes it; the value is always a whole number of its smallest unit. */
export function NumberField<V extends Values>({ form, name, min, max, units = 1, suffix, autofocus, ...frame }: NumberProps<V>) {
  const { say, language } = useTongue();
  const value = form.values[name] as number;
  const digits = Math.round(Math.log10(units));
  const written = (number: number) =>
    numberFormat(language, { least: digits === 2 ? 2 : 0, most: digits, isGrouped: false }).format(number / units);
  const [text, setText] = useState(() => written(value));
  const read = readNumber(text, units);
  useEffect(() => {
    if (read !== value) setText(written(value));
  }, [value, language]);
  const isWrong = read === null || (min !== undefined && read < min) || (max !== undefined && read > max);
  return (
    <Field {...frame} flaw={isWrong ? say('form.invalid_number') : form.flawOf(name)}>
      {(tied) => (
        <span class="number-input">
          <input
            {...tied}
            name={name}
            value={text}
            inputMode="decimal"
            autocomplete="off"
            {...(autofocus ? { autofocus: true } : {})}
            onInput={(event) => {
              setText(event.currentTarget.value);
              const number = readNumber(event.currentTarget.value, units);
              if (number !== null) form.set(name, number as V[typeof name]);
            }}
            onBlur={() => read !== null && setText(written(read))}
          />
          {suffix && <span class="quiet">{suffix}</span>}
        </span>
      )}
    </Field>
  );
}

interface SelectProps<V extends Values> extends Bound<V, string | number | null> {
  options: readonly { value: string | number; title: string }[];
  /** Says that nothing is chosen; the value is then null. */
  none?: string;
}

export function SelectField<V extends Values>({ form, name, options, none, autofocus, ...frame }: SelectProps<V>) {
  const value = form.values[name] as string | number | null;
  return (
    <Field {...frame} flaw={form.flawOf(name)}>
      {(tied) => (
        <select
          {...tied}
          name={name}
          value={value === null ? '' : String(value)}
          {...(autofocus ? { autofocus: true } : {})}
          onChange={(event) => {
            const chosen = options.find((option) => String(option.value) === event.currentTarget.value);
            form.set(name, (chosen ? chosen.value : null) as V[typeof name]);
          }}
        >
          {none !== undefined && <option value="">{none}</option>}
          {options.map((option) => (
            <option key={option.value} value={String(option.value)}>
              {option.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField<V extends Values>({ form, name, label, hint }: Bound<V, boolean>) {
  const id = useId();
  return (
    <div class="field check">
      <input
        type="checkbox"
        id={id}
        name={name}
        checked={form.values[name] as boolean}
        onChange={(event) => form.set(name, event.currentTarget.checked as V[typeof name])}
      />
      <label for={id}>{label}</label>
      {hint && <p class="quiet small">{hint}</p>}
    </div>
  );
}
