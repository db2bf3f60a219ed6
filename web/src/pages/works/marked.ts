/** Which parts of a text a search has found. Pure. */

export interface Part {
  text: string;
  isMatch: boolean;
}

/** `text` in parts: what the words of `search` begin a word with, and the rest. Accents and case do not count. */
export function matchedParts(text: string, search: string): Part[] {
  const sought = wordsOf(search).map(plain);
  const parts: Part[] = [];
  const add = (piece: string, isMatch: boolean) => {
    if (!piece) return;
    const last = parts.at(-1);
    if (last && last.isMatch === isMatch) last.text += piece;
    else parts.push({ text: piece, isMatch });
  };
  for (const piece of text.split(/([\p{L}\p{N}]+)/u)) {
    const begins = Math.max(0, ...sought.filter((word) => word && plain(piece).startsWith(word)).map((word) => word.length));
    // Folding keeps the number of letters, but for a few that are written out.
    const length = begins === 0 ? 0 : Math.min([...piece].length, begins);
    add([...piece].slice(0, length).join(''), true);
    add([...piece].slice(length).join(''), false);
  }
  return parts;
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}
