/** Three blocks in bond: the mark of the house. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-top" x="8.5" y="4" width="15" height="11" rx="2" />
      <rect x="1" y="17" width="14" height="11" rx="2" />
      <rect x="17" y="17" width="14" height="11" rx="2" />
    </svg>
  );
}

export function Brand() {
  return (
    <span class="brand">
      <Mark />
      <span>
        Steinmet<b>Z</b>
      </span>
    </span>
  );
}
