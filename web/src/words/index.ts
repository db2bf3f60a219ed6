/**
 * Every phrase that some area knows. A new area is one line here, for its types only: its words are loaded by the
 * pages that import its file.
 */

import type { acts } from './acts';
import type { announcements } from './announcements';
import type { audit } from './audit';
import type { books } from './books';
import type { charts } from './charts';
import type { chat } from './chat';
import type { company } from './company';
import type { customers } from './customers';
import type { functions } from './functions';
import type { insight } from './insight';
import type { invoices } from './invoices';
import type { invoiceStatus } from './invoice_status';
import type { jobs } from './jobs';
import type { notifications } from './notifications';
import type { overview } from './overview';
import type { people } from './people';
import type { rooms } from './rooms';
import type { shell } from './shell';
import type { spans } from './spans';

export type Phrase =
  | keyof typeof acts
  | keyof typeof announcements
  | keyof typeof audit
  | keyof typeof books
  | keyof typeof charts
  | keyof typeof chat
  | keyof typeof company
  | keyof typeof customers
  | keyof typeof functions
  | keyof typeof insight
  | keyof typeof invoices
  | keyof typeof invoiceStatus
  | keyof typeof jobs
  | keyof typeof notifications
  | keyof typeof overview
  | keyof typeof people
  | keyof typeof rooms
  | keyof typeof shell
  | keyof typeof spans;
