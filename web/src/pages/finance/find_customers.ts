import { api } from '../../session/current';
import type { Choice } from '../../ui/combobox';

const FEW = 8;

/** Customers whose name, number or city contains `text`; `active` leaves out those who are not billed any more. */
export async function findCustomers(text: string, signal: AbortSignal, { active = false } = {}): Promise<readonly Choice<number>[]> {
  const { data } = await api.get('/api/customers', { query: { q: text, limit: active ? 3 * FEW : FEW }, signal });
  return data
    .filter((customer) => customer.isActive || !active)
    .slice(0, FEW)
    .map(({ id, name, number, city }) => ({ id, title: name, note: `${number} · ${city}` }));
}
