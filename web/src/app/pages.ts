/**
 * Every page, one a line, by group and in the order of the navigation. A page is its own chunk: what it needs is
 * loaded with it. `title` is a phrase of `words/shell.ts`, because the navigation says it before the page is loaded.
 * A page without an `icon` is not in the navigation; `roles` is who may open it (everybody without it).
 */

import type { ComponentType } from 'preact';
import type { Role } from '../api/types';
import type { IconName } from '../ui/icon';
import type { Phrase } from '../words';
import type { Params } from './route';

export type Group = 'start' | 'business' | 'people' | 'house' | 'operations';

export interface PageProps {
  params: Params;
}

export interface Page {
  path: string;
  title: Phrase;
  group: Group;
  icon?: IconName;
  roles?: readonly Role[];
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const GROUPS: readonly Group[] = ['start', 'business', 'people', 'house', 'operations'];
/** Who reads the books: the API says "manager". */
export const MANAGEMENT: readonly Role[] = ['admin', 'manager', 'auditor'];
/** Who writes: the API says "clerk". */
export const CLERKS: readonly Role[] = ['admin', 'manager', 'clerk'];
/** Who decides and posts by hand: the API says "manager" of writes. */
export const MANAGERS: readonly Role[] = ['admin', 'manager'];
export const ADMINS: readonly Role[] = ['admin'];
export const OPERATIONS: readonly Role[] = ['admin', 'auditor'];

export const PAGES: readonly Page[] = [
  // start
  { group: 'start', path: '/', title: 'nav.overview', icon: 'overview', load: () => import('../pages/overview/overview_page') },

  // business
  { group: 'business', path: '/customers', title: 'nav.customers', icon: 'customers', load: () => import('../pages/finance/customers_page') },
  { group: 'business', path: '/customers/new', title: 'nav.customer.new', roles: CLERKS, load: () => import('../pages/finance/customer_new_page') },
  { group: 'business', path: '/customers/:id', title: 'nav.customer', load: () => import('../pages/finance/customer_page') },
  { group: 'business', path: '/customers/:id/edit', title: 'nav.customer', roles: CLERKS, load: () => import('../pages/finance/customer_edit_page') },
  { group: 'business', path: '/invoices', title: 'nav.invoices', icon: 'invoices', load: () => import('../pages/finance/invoices_page') },
  { group: 'business', path: '/invoices/new', title: 'nav.invoice.new', roles: CLERKS, load: () => import('../pages/finance/invoice_new_page') },
  { group: 'business', path: '/invoices/:id', title: 'nav.invoice', load: () => import('../pages/finance/invoice_page') },
  { group: 'business', path: '/invoices/:id/edit', title: 'nav.invoice', roles: CLERKS, load: () => import('../pages/finance/invoice_edit_page') },
  { group: 'business', path: '/payments', title: 'nav.payments', icon: 'payments', load: () => import('../pages/finance/payments_page') },
  { group: 'business', path: '/credit-notes', title: 'nav.credit_notes', icon: 'credit', load: () => import('../pages/finance/credit_notes_page') },
  { group: 'business', path: '/credit-notes/:id', title: 'nav.credit_note', load: () => import('../pages/finance/credit_note_page') },
  { group: 'business', path: '/accounts', title: 'nav.accounts', icon: 'ledger', roles: MANAGEMENT, load: () => import('../pages/finance/accounts_page') },
  { group: 'business', path: '/accounts/new', title: 'nav.account.new', roles: MANAGERS, load: () => import('../pages/finance/account_new_page') },
  { group: 'business', path: '/accounts/:id', title: 'nav.account', roles: MANAGEMENT, load: () => import('../pages/finance/account_page') },
  { group: 'business', path: '/journal', title: 'nav.journal', icon: 'audit', roles: MANAGEMENT, load: () => import('../pages/finance/journal_page') },
  { group: 'business', path: '/journal/new', title: 'nav.entry.new', roles: MANAGERS, load: () => import('../pages/finance/entry_new_page') },
  { group: 'business', path: '/journal/:id', title: 'nav.entry', roles: MANAGEMENT, load: () => import('../pages/finance/entry_page') },
  { group: 'business', path: '/reports', title: 'nav.reports', icon: 'report', roles: MANAGEMENT, load: () => import('../pages/finance/reports_page') },

  // people
  { group: 'people', path: '/employees', title: 'nav.employees', icon: 'employees', load: () => import('../pages/people/employees_page') },
  { group: 'people', path: '/employees/new', title: 'nav.employee', roles: MANAGERS, load: () => import('../pages/people/employee_new_page') },
  { group: 'people', path: '/employees/:id', title: 'nav.employee', load: () => import('../pages/people/employee_page') },
  { group: 'people', path: '/employees/:id/edit', title: 'nav.employee', roles: MANAGERS, load: () => import('../pages/people/employee_edit_page') },
  { group: 'people', path: '/departments', title: 'nav.departments', icon: 'departments', load: () => import('../pages/people/departments_page') },
  { group: 'people', path: '/leave', title: 'nav.leave', icon: 'leave', load: () => import('../pages/people/leave_page') },
  { group: 'people', path: '/time', title: 'nav.time', icon: 'clock', load: () => import('../pages/people/time_page') },

  // house
  { group: 'house', path: '/company', title: 'nav.company', icon: 'departments', load: () => import('../pages/finance/company_page') },
  { group: 'house', path: '/company/edit', title: 'nav.company', roles: ADMINS, load: () => import('../pages/finance/company_edit_page') },
  { group: 'house', path: '/functions', title: 'nav.functions', icon: 'tree', load: () => import('../pages/works/functions_page') },
  { group: 'house', path: '/functions/lint', title: 'nav.functions.lint', roles: MANAGEMENT, load: () => import('../pages/works/functions_lint_page') },
  { group: 'house', path: '/functions/import', title: 'nav.functions.import', roles: ['admin', 'manager'], load: () => import('../pages/works/functions_import_page') },
  { group: 'house', path: '/jobs', title: 'nav.jobs', icon: 'batch', load: () => import('../pages/works/jobs_page') },
  { group: 'house', path: '/jobs/new', title: 'nav.jobs.new', roles: CLERKS, load: () => import('../pages/works/job_new_page') },
  { group: 'house', path: '/jobs/:id', title: 'nav.job', load: () => import('../pages/works/job_page') },
  { group: 'house', path: '/audit', title: 'nav.audit', icon: 'audit', roles: OPERATIONS, load: () => import('../pages/works/audit_page') },
  { group: 'house', path: '/audit/:id', title: 'nav.audit.entry', roles: OPERATIONS, load: () => import('../pages/works/audit_entry_page') },
  { group: 'house', path: '/chat', title: 'nav.chat', icon: 'chat', load: () => import('../pages/talk/chat_page') },
  { group: 'house', path: '/chat/:channel', title: 'nav.chat', load: () => import('../pages/talk/chat_page') },
  { group: 'house', path: '/notifications', title: 'nav.notifications', icon: 'bell', load: () => import('../pages/talk/notifications_page') },
  { group: 'house', path: '/users', title: 'nav.users', icon: 'users', roles: ['admin'], load: () => import('../pages/people/users_page') },
  { group: 'house', path: '/profile', title: 'nav.profile', load: () => import('../pages/people/profile_page') },

  // operations
  { group: 'operations', path: '/operations/queries', title: 'nav.queries', icon: 'gauge', roles: OPERATIONS, load: () => import('../pages/insight/queries_page') },
  { group: 'operations', path: '/operations/queries/route', title: 'nav.route', roles: OPERATIONS, load: () => import('../pages/insight/route_page') },
  { group: 'operations', path: '/operations/queries/statement/:fingerprint', title: 'nav.query', roles: OPERATIONS, load: () => import('../pages/insight/statement_page') },
  { group: 'operations', path: '/operations/queries/slow/:id', title: 'nav.slow_query', roles: OPERATIONS, load: () => import('../pages/insight/slow_query_page') },
  { group: 'operations', path: '/operations/advice', title: 'nav.advice', icon: 'index', roles: OPERATIONS, load: () => import('../pages/insight/advice_page') },
  { group: 'operations', path: '/operations/comparisons', title: 'nav.comparisons', icon: 'compare', roles: OPERATIONS, load: () => import('../pages/insight/comparisons_page') },
  { group: 'operations', path: '/operations/cache', title: 'nav.cache', icon: 'cache', roles: OPERATIONS, load: () => import('../pages/insight/cache_page') },
  { group: 'operations', path: '/operations/realtime', title: 'nav.realtime', icon: 'plug', roles: OPERATIONS, load: () => import('../pages/insight/realtime_page') },
  { group: 'operations', path: '/operations/system', title: 'nav.system', icon: 'server', roles: OPERATIONS, load: () => import('../pages/insight/system_page') },
  { group: 'operations', path: '/maintenance', title: 'nav.maintenance', icon: 'warning', roles: ['admin'], load: () => import('../pages/talk/maintenance_page') },
];
