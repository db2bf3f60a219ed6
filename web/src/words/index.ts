/**
 * Every phrase that some area knows. A new area is one line here, for its types only: its words are loaded by the
 * pages that import its file.
 */

import type { acts } from './acts';
import type { books } from './books';
import type { company } from './company';
import type { charts } from './charts';
import type { customers } from './customers';
import type { invoiceStatus } from './invoice_status';
import type { invoices } from './invoices';
import type { overview } from './overview';
import type { shell } from './shell';
import type { spans } from './spans';

export type Phrase =
  | keyof typeof acts
  | keyof typeof books
  | keyof typeof company
  | keyof typeof charts
  | keyof typeof customers
  | keyof typeof invoiceStatus
  | keyof typeof invoices
  | keyof typeof overview
  | keyof typeof shell
  | keyof typeof spans;
