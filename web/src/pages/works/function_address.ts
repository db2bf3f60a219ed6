/** The address of a function in the catalogue. */
export function functionAddress(id: string, act?: 'edit'): string {
  return `/functions?${new URLSearchParams({ ...(act ? { act } : {}), node: id }).toString()}`;
}

/** The address of a new function below `id`; null: of a new area. */
export function newFunctionAddress(id: string | null): string {
  return `/functions?${new URLSearchParams({ act: 'new', ...(id === null ? {} : { below: id }) }).toString()}`;
}
