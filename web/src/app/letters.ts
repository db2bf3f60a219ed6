/** Whether what is typed means a title. Pure. */

/** Lower case, without accents: `Übersicht` is found by `uber`. */
function plain(text: string): string {
  return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
}

/** Each word typed begins a word of `title`; nothing typed means everything. */
export function matches(typed: string, title: string): boolean {
  const words = plain(title).split(/[^\p{L}\p{N}]+/u);
  return plain(typed)
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)));
}
