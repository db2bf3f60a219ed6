import { describe, expect, it } from 'vitest';
import { match, withQuery } from './route';

describe('a path against a pattern', () => {
  it('gives what is in the gaps', () => {
    expect(match('/customers/:id/edit', '/customers/17/edit')).toEqual({ id: '17' });
  });
  it('is another path if it is longer, shorter or different', () => {
    expect(match('/customers/:id', '/customers')).toBeNull();
    expect(match('/customers/:id', '/customers/17/edit')).toBeNull();
    expect(match('/customers', '/invoices')).toBeNull();
  });
  it('does not mind a slash at the end, and knows the root', () => {
    expect(match('/customers', '/customers/')).toEqual({});
    expect(match('/', '/')).toEqual({});
    expect(match('/', '/customers')).toBeNull();
  });
  it('takes the rest, slashes included', () => {
    expect(match('/catalogue/:id*', '/catalogue/dashboard/mannschaft%20a')).toEqual({ id: 'dashboard/mannschaft a' });
  });
  it('survives a stray percent sign', () => {
    expect(match('/customers/:id', '/customers/50%')).toEqual({ id: '50%' });
  });
});

describe('the query string', () => {
  it('is replaced in part, sorted, without what is empty', () => {
    expect(withQuery('?q=x&sort=name', { status: 'sent', q: null })).toBe('?sort=name&status=sent');
    expect(withQuery('?q=x', { q: '' })).toBe('');
  });
});
