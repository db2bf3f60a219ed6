/**
 * Every phrase that some area knows. A new area is one line here, for its types only: its words are loaded by the
 * pages that import its file.
 */

import type { acts } from './acts';
import type { audit } from './audit';
import type { charts } from './charts';
import type { customers } from './customers';
import type { functions } from './functions';
import type { invoiceStatus } from './invoice_status';
import type { jobs } from './jobs';
import type { overview } from './overview';
import type { shell } from './shell';

export type Phrase =
  | keyof typeof acts
  | keyof typeof audit
  | keyof typeof charts
  | keyof typeof customers
  | keyof typeof functions
  | keyof typeof invoiceStatus
  | keyof typeof jobs
  | keyof typeof overview
  | keyof typeof shell;
