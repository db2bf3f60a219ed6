/** Two letters that stand for a person; the name stands beside them or is theirs to say. */
export function Avatar({ name }: { name: string }) {
  return <span class="avatar" data-initials={initials(name)} />;
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}
