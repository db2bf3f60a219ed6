import { useTongue } from '../words/tongue';
import { Button } from './button';

/** Says that a form holds what was typed before and not saved; it can be let go. */
export function DraftNote({ discard }: { discard: () => void }) {
  const { say } = useTongue();
  return (
    <div class="note" role="status">
      <p>{say('form.draft')}</p>
      <Button kind="bare" onClick={discard}>
        {say('form.draft.discard')}
      </Button>
    </div>
  );
}
