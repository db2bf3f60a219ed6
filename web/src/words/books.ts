/** Accounts, the journal and the reports. */

import { phrases } from './phrases';

export const books = phrases({
  'books.title': { en: 'Books', de: 'Bücher' },
});
