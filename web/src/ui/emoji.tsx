import { Icon, type IconName } from './icon';

let isDrawn: boolean | undefined;

/** Whether this machine has letters for emoji; without them each is an empty box. */
function canDraw(): boolean {
  if (isDrawn !== undefined) return isDrawn;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 16;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (!pen) return (isDrawn = true);
  pen.font = '14px sans-serif';
  pen.textBaseline = 'top';
  pen.fillText('\u{1F9E1}', 0, 0); // a heart of one colour, never drawn in black by letters that have it
  const { data } = pen.getImageData(0, 0, 16, 16);
  isDrawn = false;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] && Math.abs((data[at] ?? 0) - (data[at + 2] ?? 0)) > 40) isDrawn = true;
  }
  return isDrawn;
}

/** An emoji as a mark beside a name; where the machine cannot draw it, or there is none, an icon of the house. */
export function Emoji({ text, instead, class: more = '' }: { text: string; instead: IconName; class?: string }) {
  return (
    <span class={`emoji ${more}`} aria-hidden="true">
      {text && canDraw() ? text : <Icon name={instead} />}
    </span>
  );
}
