import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { InvoiceView } from '../../api/types';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { DraftNote } from '../../ui/draft_note';
import { ProblemNote } from '../../ui/problem_note';
import type { Form } from '../../ui/use_form';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './acts.css';
import type { Seen } from './seen';
import { StatusBadge } from './status_badge';

interface Props<V extends object> {
  title: string;
  /** What the button says that does it. */
  act: string;
  isDanger?: boolean;
  wide?: boolean;
  form: Form<V>;
  seen: Seen;
  /** Whether the act is possible as the invoice stands. */
  isPossible: (invoice: InvoiceView) => boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/**
 * An act on an invoice: what it asks for and what will happen. When somebody else changes the invoice meanwhile, both
 * states are shown and nothing is done before one has looked at the new one.
 */
export function ActDialog<V extends object>({ title, act, isDanger = false, wide = false, form, seen, isPossible, onClose, children }: Props<V>) {
  const { say } = useTongue();
  const place = useRef<HTMLFormElement>(null);
  const wasBusy = useRef(false);
  useEffect(() => {
    if (wasBusy.current && !form.isBusy) place.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    wasBusy.current = form.isBusy;
  }, [form.isBusy]);
  const { newer } = seen;
  // What is typed waits, out of sight, until the new state has been looked at.
  useEffect(() => {
    if (newer) place.current?.closest('dialog')?.querySelector<HTMLElement>('footer .button:last-child')?.focus();
  }, [newer !== null]);
  const canGoOn = newer === null || isPossible(newer);
  const close = () => {
    form.reset();
    onClose();
  };
  return (
    <Dialog
      title={title}
      wide={wide}
      // Escape and a click beside it throw nothing away: what was typed is there when it is opened again.
      onClose={onClose}
      actions={
        <>
          <Button onClick={close}>{say('form.cancel')}</Button>
          {newer ? (
            canGoOn && (
              <Button kind="primary" onClick={seen.accept}>
                {say('acting.go_on')}
              </Button>
            )
          ) : (
            <Button kind={isDanger ? 'danger' : 'primary'} busy={form.isBusy} onClick={() => place.current?.requestSubmit()}>
              {form.isBusy ? say('form.saving') : act}
            </Button>
          )}
        </>
      }
    >
      <form
        ref={place}
        class="form act-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!newer) void form.submit();
        }}
      >
        {newer && <MovedOn before={seen.seen} now={newer} canGoOn={canGoOn} />}
        {form.problem && !newer && <ProblemNote problem={form.problem} />}
        <div class="act-body" hidden={newer !== null}>
          {form.hasDraft && <DraftNote discard={form.reset} />}
          {children}
        </div>
        {/* Enter in a field acts, as in every form. */}
        <button type="submit" class="unseen" tabIndex={-1} aria-hidden="true" />
      </form>
    </Dialog>
  );
}

function MovedOn({ before, now, canGoOn }: { before: InvoiceView; now: InvoiceView; canGoOn: boolean }) {
  const { say, money } = useTongue();
  const cents = (['grossCents', 'paidCents', 'creditedCents', 'refundedCents', 'openCents', 'refundDueCents'] as const).filter(
    (name) => before[name] !== now[name],
  );
  return (
    <div class="note problem" role="alert">
      <p class="note-title">{say('acting.moved_on')}</p>
      <table class="plain-table moved-on">
        <thead>
          <tr>
            <td />
            <th scope="col">{say('acting.before')}</th>
            <th scope="col">{say('acting.now')}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{say('invoice.status')}</th>
            <td>
              <StatusBadge status={before.status} />
            </td>
            <td>
              <StatusBadge status={now.status} />
            </td>
          </tr>
          {cents.map((name) => (
            <tr key={name}>
              <th scope="row">{say(`invoice.${name}`)}</th>
              <td class="number">{money(before[name], before.currency)}</td>
              <td class="number">
                <b>{money(now[name], now.currency)}</b>
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">{say('acting.version')}</th>
            <td class="number">{before.version}</td>
            <td class="number">{now.version}</td>
          </tr>
        </tbody>
      </table>
      {!canGoOn && <p>{say('acting.not_any_more')}</p>}
    </div>
  );
}

/** What will happen, in sentences. */
export function Happens({ children }: { children: ComponentChildren }) {
  const { say } = useTongue();
  return (
    <section class="happens">
      <h3>{say('acting.happens')}</h3>
      <ul>{children}</ul>
    </section>
  );
}
