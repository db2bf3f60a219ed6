/** The session of this page, the door that carries its token, and who is signed in. */

import { computed } from '@preact/signals';
import { Door } from '../api/door';
import type { Role } from '../api/types';
import { Session, type User } from './session';

export const session = new Session();
export const api = new Door(session);

export const user = computed<User | null>(() => {
  const state = session.state.value;
  return state.phase === 'signed-in' ? state.user : null;
});

/** The signed-in user; for components below the shell, where there is one. */
export function useUser(): User {
  const { value } = user;
  if (!value) throw new Error('nobody is signed in');
  return value;
}

const RANK: Record<Role, number> = { auditor: 0, clerk: 1, manager: 2, admin: 3 };

/** Whether the signed-in user may write what needs `least`. The server decides; this only hides what it would refuse. */
export function may(least: 'clerk' | 'manager' | 'admin'): boolean {
  const { value } = user;
  return value !== null && RANK[value.role] >= RANK[least];
}
