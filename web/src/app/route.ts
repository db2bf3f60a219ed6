/** Paths of pages: `/customers/:id` is matched against `/customers/17`. Pure. */

export type Params = Record<string, string>;

export interface Place {
  path: string;
  /** The query string with its `?`, or nothing. */
  search: string;
}

/** What the gaps of `pattern` are in `path`; null if it is another path. `:id*` takes the rest, slashes included. */
export function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split('/');
  const given = (path.length > 1 ? path.replace(/\/+$/, '') : path).split('/');
  const params: Params = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':') && part.endsWith('*')) {
      if (given.length <= index) return null;
      params[part.slice(1, -1)] = given.slice(index).map(decoded).join('/');
      return params;
    }
    const value = given[index];
    if (value === undefined) return null;
    if (part.startsWith(':')) {
      if (!value) return null;
      params[part.slice(1)] = decoded(value);
    } else if (part !== value) return null;
  }
  return given.length === wanted.length ? params : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray %: it is what it is
  }
}

/** `search` with some of its fields replaced; what is null or empty goes. */
export function withQuery(search: string, some: Record<string, string | null>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(some)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  query.sort();
  const text = query.toString();
  return text ? `?${text}` : '';
}
