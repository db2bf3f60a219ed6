/** Asking before what cannot be undone. */

import { signal } from '@preact/signals';
import { useTongue } from '../words/tongue';
import { Button } from './button';
import { Dialog } from './dialog';

interface Question {
  title: string;
  text: string;
  /** What the button says that does it: the act itself, such as "Cancel invoice". */
  act: string;
  isDanger?: boolean;
}

const asked = signal<{ question: Question; answer: (yes: boolean) => void } | null>(null);

/** Whether the visitor agrees. `if (await confirm({...})) ...` */
export function confirm(question: Question): Promise<boolean> {
  asked.peek()?.answer(false);
  return new Promise((resolve) => {
    asked.value = {
      question,
      answer: (yes) => {
        asked.value = null;
        resolve(yes);
      },
    };
  });
}

export function ConfirmPlace() {
  const { say } = useTongue();
  if (!asked.value) return null;
  const { question, answer } = asked.value;
  return (
    <Dialog
      title={question.title}
      onClose={() => answer(false)}
      actions={
        <>
          <Button onClick={() => answer(false)}>{say('form.cancel')}</Button>
          <Button kind={question.isDanger ? 'danger' : 'primary'} onClick={() => answer(true)}>
            {question.act}
          </Button>
        </>
      }
    >
      <p>{question.text}</p>
    </Dialog>
  );
}
