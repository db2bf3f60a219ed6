/** Addresses of the API, written one way, so that the same question is the same address. Pure. */

export type Scalar = string | number | boolean;
export type Query = Record<string, Scalar | readonly Scalar[] | null | undefined>;

/** `/api/customers/{customer_id}` with its gaps filled. Slashes in a value stay: catalogue ids are paths. */
export function filled(template: string, gaps: Record<string, Scalar> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) =>
    String(gaps[name] ?? '').split('/').map(encodeURIComponent).join('/'),
  );
}

/** `path?query`, names sorted, nothing for what is empty; a list is repeated. */
export function address(path: string, query: Query = {}): string {
  const pairs: [string, string][] = [];
  for (const name of Object.keys(query).sort()) {
    const value = query[name];
    for (const one of Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar | null | undefined]) {
      if (one !== undefined && one !== null && one !== '') pairs.push([name, String(one)]);
    }
  }
  const text = new URLSearchParams(pairs).toString();
  return text ? `${path}?${text}` : path;
}
