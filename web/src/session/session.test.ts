import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Session } from './session';

/** One lock, as the Web Locks API has it: later requests wait, `ifAvailable` does not. */
function makeLocks() {
  let held: Promise<unknown> | null = null;
  return {
    async request(_name: string, ...rest: unknown[]) {
      const work = rest.at(-1) as (lock: object | null) => Promise<unknown>;
      if (held && rest.length > 1) return work(null);
      while (held) await held.catch(() => undefined);
      const mine = work({});
      held = mine;
      try {
        return await mine;
      } finally {
        held = null;
      }
    },
  };
}

let asked: string[] = [];
let refused = false;
let count = 0;

beforeEach(() => {
  asked = [];
  refused = false;
  count = 0;
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  vi.stubGlobal('sessionStorage', {});
  vi.stubGlobal('document', { addEventListener: () => undefined, visibilityState: 'visible' });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('navigator', { locks: makeLocks() });
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path);
    if (refused) return new Response('{}', { status: 401 });
    if (path === '/api/auth/logout') return new Response('{}', { status: 200 });
    const data = { accessToken: `token ${++count}`, expiresIn: 900, user: { id: 1, name: 'A', email: 'a@b', role: 'clerk' } };
    return new Response(JSON.stringify({ data }), { status: 200 });
  });
});

const open: Session[] = [];
afterEach(() => {
  for (const session of open.splice(0)) session.close();
  vi.unstubAllGlobals();
});

function tab(): Session {
  const session = new Session();
  open.push(session);
  return session;
}

it('one sign-in is that of all tabs', async () => {
  const [one, other] = [tab(), tab()];
  await other.resume();
  await one.signIn('a@b', 'x');
  await vi.waitFor(() => expect(other.state.value.phase).toBe('signed-in'));
  expect(other.token.value).toBe('token 1');
});

it('tabs that renew at the same time spend the cookie once', async () => {
  const [one, other] = [tab(), tab()];
  await one.signIn('a@b', 'x');
  await other.resume();
  asked = [];
  expect(await Promise.all([one.renew(), other.renew(), one.renew()])).toEqual(['renewed', 'renewed', 'renewed']);
  expect(asked).toEqual(['/api/auth/refresh']);
  expect(one.token.value).toBe(other.token.value);
});

it('a sign-out is that of all tabs, and a refusal ends the session', async () => {
  const [one, other] = [tab(), tab()];
  await one.signIn('a@b', 'x');
  await other.resume();
  await one.signOut();
  await vi.waitFor(() => expect(other.state.value).toEqual({ phase: 'signed-out', why: 'left' }));
  await one.signIn('a@b', 'x');
  refused = true;
  expect(await one.renew()).toBe('ended');
  expect(one.state.value).toEqual({ phase: 'signed-out', why: 'ended' });
  expect(one.token.value).toBeNull();
});
