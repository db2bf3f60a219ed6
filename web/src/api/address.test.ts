import { describe, expect, it } from 'vitest';
import { address, filled } from './address';

describe('the address of a question', () => {
  it('is the same however the fields are ordered', () => {
    expect(address('/api/invoices', { to: 'b', from: 'a' })).toBe(address('/api/invoices', { from: 'a', to: 'b' }));
  });
  it('leaves out what is empty and repeats a list', () => {
    expect(address('/api/invoices', { q: '', status: ['sent', 'paid'], cursor: null })).toBe('/api/invoices?status=sent&status=paid');
  });
  it('keeps the slashes of a catalogue id and escapes the rest', () => {
    expect(filled('/api/functions/nodes/{node_id}', { node_id: 'a/b c?' })).toBe('/api/functions/nodes/a/b%20c%3F');
  });
});
