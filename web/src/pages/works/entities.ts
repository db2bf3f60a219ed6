/** The records that the audit log speaks of, and where they are shown. */

import { pageAt } from '../../app/outlet';
import { functionAddress } from './function_address';

export const ENTITIES = [
  'account', 'batch_job', 'catalog', 'chat_channel', 'chat_message', 'company', 'customer', 'department', 'employee',
  'function', 'invoice', 'journal_entry', 'leave_request', 'maintenance', 'notification', 'retention', 'time_entry', 'user',
] as const;
export type Entity = (typeof ENTITIES)[number];

const ADDRESSES: Partial<Record<Entity, (id: string) => string>> = {
  account: (id) => `/accounts/${id}`,
  batch_job: (id) => `/jobs/${id}`,
  catalog: () => '/functions/lint',
  company: () => '/company',
  customer: (id) => `/customers/${id}`,
  department: (id) => `/departments/${id}`,
  employee: (id) => `/employees/${id}`,
  function: functionAddress,
  invoice: (id) => `/invoices/${id}`,
  journal_entry: (id) => `/journal/${id}`,
  leave_request: () => '/leave',
  maintenance: () => '/maintenance',
  user: (id) => `/users/${id}`,
};

export function isEntity(word: string): word is Entity {
  return (ENTITIES as readonly string[]).includes(word);
}

/** Where a record is shown; null if no page shows it. */
export function addressOfRecord(entity: string, id: string): string | null {
  const at = isEntity(entity) ? ADDRESSES[entity]?.(id) : undefined;
  return at && pageAt(new URL(at, location.href).pathname) ? at : null;
}
