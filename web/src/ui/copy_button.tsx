import { useTongue } from '../words/tongue';
import { Button } from './button';
import { toast } from './toast';

/** Puts `text` on the clipboard and says so; where the browser has none, it says that. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { say } = useTongue();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(say('copy.done'));
    } catch {
      toast(say('copy.failed'), { isProblem: true });
    }
  };
  return (
    <Button kind="bare" icon="copy" onClick={() => void copy()}>
      {label ?? say('copy')}
    </Button>
  );
}
