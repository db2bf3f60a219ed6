/** Typing a table row by row: Enter to the next row, arrows up and down in the column, Alt+Backspace removes. */

interface Rows {
  /** The table's body; its rows' inputs carry `data-column`, or are a combobox. */
  body: HTMLElement | null;
  remove: (row: number) => void;
}

/** Handles a key pressed in an input of the table; true if it was one of ours. */
export function onRowKey(event: KeyboardEvent, { body, remove }: Rows): boolean {
  const { target, key } = event;
  if (event.defaultPrevented || !body || !(target instanceof HTMLElement)) return false;
  const rows = [...body.children];
  const row = rows.findIndex((one) => one.contains(target));
  if (row < 0 || event.ctrlKey || event.metaKey || target instanceof HTMLButtonElement) return false;
  const focus = (at: number, column?: string) => {
    const inputs = rows[at]?.querySelectorAll<HTMLElement>('[data-column], [role="combobox"]');
    const wanted = [...(inputs ?? [])].find((input) => column === undefined || input.dataset['column'] === column);
    wanted?.focus();
  };
  if (key === 'Enter' && !event.altKey) focus(row + 1);
  else if (key === 'Backspace' && event.altKey) remove(row);
  else if ((key === 'ArrowDown' || key === 'ArrowUp') && target instanceof HTMLInputElement && target.getAttribute('aria-expanded') !== 'true') {
    focus(row + (key === 'ArrowDown' ? 1 : -1), target.dataset['column']);
  } else return false;
  event.preventDefault();
  return true;
}
