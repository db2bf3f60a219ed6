/** The document's title: which page it is, and in front of it how much there is to read. */

import { effect, signal } from '@preact/signals';

const page = signal(document.title);
const unread = signal('');

effect(() => {
  document.title = unread.value === '' ? page.value : `(${unread.value}) ${page.value}`;
});

export function nameDocument(title: string): void {
  page.value = title;
}

/** `count` as it is written; empty: there is nothing to read. */
export function countUnread(count: string): void {
  unread.value = count;
}
