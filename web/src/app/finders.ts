/** Records that the command palette finds by a few letters, one kind a line. */

import { pageAt } from './outlet';
import type { IconName } from '../ui/icon';
import { api } from '../session/current';
import type { Phrase } from '../words';

export interface Found {
  title: string;
  note: string;
  to: string;
}

export interface Finder {
  title: Phrase;
  icon: IconName;
  find: (text: string, signal: AbortSignal) => Promise<readonly Found[]>;
}

const FEW = 6;

export const FINDERS: readonly Finder[] = [
  {
    title: 'palette.customers',
    icon: 'customers',
    find: async (q, signal) => {
      const { data } = await api.get('/api/customers', { query: { q, limit: FEW }, signal });
      return data.map(({ id, name, number, city }) => ({ title: name, note: `${number} · ${city}`, to: `/customers/${id}` }));
    },
  },
  {
    title: 'nav.functions',
    icon: 'tree',
    find: async (q, signal) => {
      const { data } = await api.get('/api/functions/search', { query: { q, limit: FEW }, signal });
      return data.map(({ id, title, trail }) => ({
        title,
        note: trail.map((step) => step.title).join(' › '),
        to: `/functions?${new URLSearchParams({ node: id }).toString()}`,
      }));
    },
  },
  {
    title: 'palette.invoices',
    icon: 'invoices',
    find: async (q, signal) => {
      if (!pageAt('/invoices/1')) return [];
      const { data } = await api.get('/api/invoices', { query: { q, limit: FEW }, signal });
      return data.map(({ id, number, customerName }) => ({ title: number ?? customerName, note: customerName, to: `/invoices/${id}` }));
    },
  },
];
