/**
 * A form's state: what was typed, what is wrong with it, what became of saving it.
 *
 * What is typed and not saved is kept as a draft of this user and this form, and is there again after a reload or a
 * lost session. A record that somebody else has changed meanwhile (409) is shown as a conflict, never overwritten
 * unasked.
 */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type FieldFlaw, type Problem } from '../api/problem';
import { user, useUser } from '../session/current';
import { draftOf, keepDraft } from '../session/drafts';
import { tongue } from '../words/tongue';
import { toast } from './toast';

export type Values = object;

export interface Saving<V extends Values> {
  /** The values that differ from those it began with. */
  changed: Partial<V>;
  /** The version that is meant to be changed; 0 for a new record. */
  version: number;
}

interface Options<V extends Values> {
  /** Names the form and its record: `customer.17`, `customer.new`. */
  name: string;
  /** The record's values as they stand; live ones are taken up until somebody types. */
  initial: V;
  version?: number;
  save: (values: V, saving: Saving<V>) => Promise<void>;
  /** Passwords are in it: nothing of it is kept as a draft. */
  isSecret?: boolean;
  /** The values and version in the record that a 409 carries. */
  fromCurrent?: (current: unknown) => { values: V; version: number };
}

export interface Form<V extends Values> {
  values: V;
  initial: V;
  set: <Name extends keyof V>(name: Name, value: V[Name]) => void;
  flawOf: (name: keyof V) => string | undefined;
  isDirty: boolean;
  isBusy: boolean;
  /** The record has changed since one began to type. */
  hasMovedOn: boolean;
  hasDraft: boolean;
  /** What the server refused, unless fields or the conflict say it. */
  problem: Problem | null;
  conflict: { theirs: V; version: number } | null;
  submit: () => Promise<void>;
  /** Throw away what was typed. */
  reset: () => void;
  takeTheirs: () => void;
  saveOver: () => Promise<void>;
  dismissConflict: () => void;
}

interface Begun<V> {
  values: V;
  version: number;
}

export function useForm<V extends Values>({ name, initial, version = 0, save, isSecret = false, fromCurrent }: Options<V>): Form<V> {
  const { id: userId } = useUser();
  const [draft] = useState(() => (isSecret ? null : draftOf(userId, name)));
  const [base, setBase] = useState<Begun<V>>({ values: initial, version: draft?.version ?? version });
  const [values, setValues] = useState<V>(() => ({ ...initial, ...(draft?.values as Partial<V> | undefined) }));
  const [hasDraft, setHasDraft] = useState(draft !== null);
  const [flaws, setFlaws] = useState<readonly FieldFlaw[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [conflict, setConflict] = useState<{ theirs: V; version: number } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const changed = differences(base.values, values);
  const isDirty = Object.keys(changed).length > 0;

  // Nobody has typed yet: what is live is what one would begin from.
  if (!isDirty && !isBusy && version !== base.version) {
    setBase({ values: initial, version });
    setValues(initial);
  }

  // At once: who types and leaves in the same moment would take a later effect with him.
  useLayoutEffect(() => {
    if (!isSecret) keepDraft(userId, name, isDirty ? { values: changed as Record<string, unknown>, version: base.version } : null);
  }, [values, base]);
  // Who goes elsewhere with something unsaved is told that it is not lost.
  const unsaved = useRef(false);
  unsaved.current = isDirty && !isBusy && !isSecret;
  useEffect(
    () => () => {
      if (unsaved.current && user.peek()) toast(tongue.peek().say('form.kept'));
    },
    [],
  );
  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isDirty]);

  const attempt = async (against: number) => {
    if (isBusy) return;
    unsaved.current = false;
    setBusy(true);
    setProblem(null);
    setFlaws([]);
    try {
      await save(values, { changed, version: against });
      keepDraft(userId, name, null);
      setHasDraft(false);
      setConflict(null);
      setBase({ values, version: against });
    } catch (error) {
      const refusal = asProblem(error);
      if (refusal.isConflict && fromCurrent) {
        const { values: theirs, version: theirVersion } = fromCurrent(refusal.more.current);
        setConflict({ theirs, version: theirVersion });
      } else {
        const errors = (refusal.more.errors ?? []).map((flaw) => ({ ...flaw, field: flaw.field.replace(/^body\./, '') }));
        setFlaws(errors);
        if (!errors.some((flaw) => flaw.field in values)) setProblem(refusal);
      }
    } finally {
      setBusy(false);
    }
  };

  const begin = (from: Begun<V>) => {
    unsaved.current = false;
    setBase(from);
    setValues(from.values);
    setFlaws([]);
    setProblem(null);
    setConflict(null);
    setHasDraft(false);
    keepDraft(userId, name, null);
  };
  return {
    values,
    initial: base.values,
    set(field, value) {
      setValues((now) => ({ ...now, [field]: value }));
      if (flaws.length > 0) setFlaws((now) => now.filter((flaw) => flaw.field !== field));
    },
    flawOf: (field) => flaws.find((flaw) => flaw.field === field)?.message,
    isDirty,
    isBusy,
    hasMovedOn: isDirty && version > base.version,
    hasDraft: hasDraft && isDirty,
    problem,
    conflict,
    submit: () => attempt(base.version),
    reset: () => begin({ values: initial, version }),
    takeTheirs: () => conflict && begin({ values: conflict.theirs, version: conflict.version }),
    saveOver: () => (conflict ? attempt(conflict.version) : Promise.resolve()),
    dismissConflict: () => setConflict(null),
  };
}

/** The members of `now` that differ from those of `before`. */
export function differences<V extends object>(before: V, now: V): Partial<V> {
  const names = Object.keys(now) as (keyof V)[];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return Object.fromEntries(changed.map((name) => [name, now[name]])) as Partial<V>;
}
