import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import { ConflictDialog } from './conflict_dialog';
import { DraftNote } from './draft_note';
import { ProblemNote } from './problem_note';
import type { Form as FormState, Values } from './use_form';

interface Props<V extends Values> {
  form: FormState<V>;
  /** What each field is called, also in the conflict. */
  labels: Partial<Record<keyof V, string>>;
  /** How a value that is no plain text or number stands in the conflict; null: as it is. */
  written?: (value: unknown) => string | null;
  /** What the button says; "Save" without it. */
  act?: string;
  onCancel?: () => void;
  /** Beside the button. */
  extra?: ComponentChildren;
  children: ComponentChildren;
}

/** A form with its fields: Enter and Ctrl+Enter save, a refusal leads to the first field that is wrong. */
export function Form<V extends Values>({ form, labels, written, act, onCancel, extra, children }: Props<V>) {
  const { say } = useTongue();
  const place = useRef<HTMLFormElement>(null);
  const wasBusy = useRef(false);
  useEffect(() => {
    if (wasBusy.current && !form.isBusy) {
      place.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
    wasBusy.current = form.isBusy;
  }, [form.isBusy]);
  const submit = (event: Event) => {
    event.preventDefault();
    void form.submit();
  };
  return (
    <>
      <form
        class="form"
        ref={place}
        noValidate={false}
        onSubmit={submit}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) place.current?.requestSubmit();
        }}
      >
        {form.hasDraft && <DraftNote discard={form.reset} />}
        {form.hasMovedOn && (
          <p class="note" role="status">
            {say('form.moved_on')}
          </p>
        )}
        {form.problem && <ProblemNote problem={form.problem} />}
        <div class="fields">{children}</div>
        <footer class="form-foot">
          <Button type="submit" kind="primary" busy={form.isBusy}>
            {form.isBusy ? say('form.saving') : (act ?? say('form.save'))}
          </Button>
          {onCancel && (
            <Button
              onClick={() => {
                form.reset();
                onCancel();
              }}
            >
              {say('form.cancel')}
            </Button>
          )}
          {extra}
          {form.isDirty && !form.isBusy && <span class="quiet small">{say('form.unsaved')}</span>}
        </footer>
      </form>
      {form.conflict && <ConflictDialog form={form} labels={labels} {...(written ? { written } : {})} />}
    </>
  );
}
