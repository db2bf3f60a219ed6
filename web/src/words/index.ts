/**
 * Every phrase that some area knows. A new area is one line here, for its types only: its words are loaded by the
 * pages that import its file.
 */

import type { acts } from './acts';
import type { announcements } from './announcements';
import type { chat } from './chat';
import type { customers } from './customers';
import type { invoiceStatus } from './invoice_status';
import type { notifications } from './notifications';
import type { overview } from './overview';
import type { people } from './people';
import type { shell } from './shell';

export type Phrase =
  | keyof typeof acts
  | keyof typeof announcements
  | keyof typeof chat
  | keyof typeof customers
  | keyof typeof invoiceStatus
  | keyof typeof notifications
  | keyof typeof overview
  | keyof typeof people
  | keyof typeof shell;
