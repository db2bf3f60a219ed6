/** A sentence that passes: what was done, and for a while how to undo it. */

import { signal } from '@preact/signals';
import { useTongue } from '../words/tongue';
import { Button, IconButton } from './button';

interface Toast {
  id: number;
  text: string;
  undo: (() => void) | null;
  isProblem: boolean;
}

const STAYS_MS = 6_000;
const STAYS_WITH_UNDO_MS = 12_000;
const MAX_SHOWN = 4;

const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Say `text`; with `undo`, a button takes it back. */
export function toast(text: string, { undo = null, isProblem = false }: { undo?: (() => void) | null; isProblem?: boolean } = {}): void {
  const id = ++last;
  toasts.value = [...toasts.peek(), { id, text, undo, isProblem }].slice(-MAX_SHOWN);
  setTimeout(() => drop(id), undo ? STAYS_WITH_UNDO_MS : STAYS_MS);
}

function drop(id: number): void {
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

export function ToastPlace() {
  const { say } = useTongue();
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, undo, isProblem }) => (
        <div class="toast" key={id} data-tone={isProblem ? 'late' : undefined}>
          <span>{text}</span>
          {undo && (
            <Button
              kind="bare"
              onClick={() => {
                drop(id);
                undo();
              }}
            >
              {say('toast.undo')}
            </Button>
          )}
          <IconButton icon="close" label={say('toast.dismiss')} onClick={() => drop(id)} />
        </div>
      ))}
    </div>
  );
}
