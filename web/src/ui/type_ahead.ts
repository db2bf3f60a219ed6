/** Finding by the first letters. Pure. */

/**
 * The index of the next of `texts` behind `at` that begins with `typed`; null if none does. One letter again and again
 * goes from one to the next; several letters stay where they are if it still fits.
 */
export function typedAhead(texts: readonly string[], typed: string, at: number): number | null {
  const isOneLetter = [...typed].every((letter) => letter === typed[0]);
  const sought = (isOneLetter ? (typed[0] ?? '') : typed).toLocaleLowerCase();
  if (!sought.trim()) return null;
  const start = isOneLetter ? at + 1 : at;
  for (let step = 0; step < texts.length; step++) {
    const index = (start + step) % texts.length;
    if (texts[index]?.toLocaleLowerCase().startsWith(sought)) return index;
  }
  return null;
}
