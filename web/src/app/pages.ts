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
/** Who decides: the API says "manager" of writes. */
export const MANAGERS: readonly Role[] = ['admin', 'manager'];
export const OPERATIONS: readonly Role[] = ['admin', 'auditor'];

export const PAGES: readonly Page[] = [
  // start
  { group: 'start', path: '/', title: 'nav.overview', icon: 'overview', load: () => import('../pages/overview/overview_page') },

  // business
  { group: 'business', path: '/customers', title: 'nav.customers', icon: 'customers', load: () => import('../pages/finance/customers_page') },
  { group: 'business', path: '/customers/new', title: 'nav.customer.new', roles: CLERKS, load: () => import('../pages/finance/customer_new_page') },
  { group: 'business', path: '/customers/:id', title: 'nav.customer', load: () => import('../pages/finance/customer_page') },
  { group: 'business', path: '/customers/:id/edit', title: 'nav.customer', roles: CLERKS, load: () => import('../pages/finance/customer_edit_page') },

  // people
  { group: 'people', path: '/employees', title: 'nav.employees', icon: 'employees', load: () => import('../pages/people/employees_page') },
  { group: 'people', path: '/employees/new', title: 'nav.employee', roles: MANAGERS, load: () => import('../pages/people/employee_new_page') },
  { group: 'people', path: '/employees/:id', title: 'nav.employee', load: () => import('../pages/people/employee_page') },
  { group: 'people', path: '/employees/:id/edit', title: 'nav.employee', roles: MANAGERS, load: () => import('../pages/people/employee_edit_page') },
  { group: 'people', path: '/departments', title: 'nav.departments', icon: 'departments', load: () => import('../pages/people/departments_page') },
  { group: 'people', path: '/leave', title: 'nav.leave', icon: 'leave', load: () => import('../pages/people/leave_page') },
  { group: 'people', path: '/time', title: 'nav.time', icon: 'clock', load: () => import('../pages/people/time_page') },

  // house
  { group: 'house', path: '/chat', title: 'nav.chat', icon: 'chat', load: () => import('../pages/talk/chat_page') },
  { group: 'house', path: '/chat/:channel', title: 'nav.chat', load: () => import('../pages/talk/chat_page') },
  { group: 'house', path: '/notifications', title: 'nav.notifications', icon: 'bell', load: () => import('../pages/talk/notifications_page') },

  { group: 'house', path: '/users', title: 'nav.users', icon: 'users', roles: ['admin'], load: () => import('../pages/people/users_page') },
  { group: 'house', path: '/profile', title: 'nav.profile', load: () => import('../pages/people/profile_page') },

  // operations
  { group: 'operations', path: '/maintenance', title: 'nav.maintenance', icon: 'warning', roles: ['admin'], load: () => import('../pages/talk/maintenance_page') },
];
