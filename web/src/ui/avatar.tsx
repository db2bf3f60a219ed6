/** Two letters that stand for a person; the name stands beside them or is theirs to say. */
export function Avatar({ name }: { name: string }) {
  return <span class="avatar" data-initials={initials(name)} />;
}

function initials(name: string): string {
  // Not of what stands in brackets behind it, such as a firm.
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}
