/**
 * The tree of functions as far as it is known here: nodes, and the children of those whose children were loaded.
 *
 * Answers replace lists, events change single nodes; an event that is older than what is known changes nothing. Pure.
 */

import type { Kind } from '../../api/types';

export interface Twig {
  id: string;
  parentId: string | null;
  title: string;
  icon: string;
  kind: Kind;
  position: number;
  version: number;
  childCount: number;
}

/** What `GET /api/functions` answers: nodes in nodes, the deepest level without `children`. */
export interface NestedTwig extends Twig {
  children?: NestedTwig[] | null;
}

/** A row of the tree as it is shown: `level` from 1, its place `at` (from 1) among `of` siblings. */
export interface TreeRow {
  id: string;
  level: number;
  at: number;
  of: number;
  /** Null: nothing lies below. */
  isOpen: boolean | null;
}

/** Whose number of children is not certain any more: their own list must be read again. */
export type Doubt = string | null;

function plain({ id, parentId, title, icon, kind, position, version, childCount }: Twig): Twig {
  return { id, parentId, title, icon, kind, position, version, childCount };
}

export class FunctionTree {
  readonly #nodes = new Map<string, Twig>();
  /** Children in their order, by parent; null is above the areas. Only of parents whose children were loaded. */
  readonly #children = new Map<string | null, string[]>();

  get size(): number {
    return this.#nodes.size;
  }

  get(id: string): Twig | undefined {
    return this.#nodes.get(id);
  }

  isLoaded(parentId: string | null): boolean {
    return this.#children.has(parentId);
  }

  childrenOf(parentId: string | null): readonly string[] {
    return this.#children.get(parentId) ?? [];
  }

  /** Parents whose children are known, the areas' own list left out. */
  loadedParents(): string[] {
    return [...this.#children.keys()].filter((id): id is string => id !== null);
  }

  /** From the area down to the node's parent. */
  trail(id: string): string[] {
    const way: string[] = [];
    for (let at = this.#nodes.get(id)?.parentId ?? null; at !== null; at = this.#nodes.get(at)?.parentId ?? null) way.unshift(at);
    return way;
  }

  /** The whole list of a parent's children, as the server has it. */
  load(parentId: string | null, rows: readonly Twig[]): void {
    const now = new Set(rows.map((row) => row.id));
    for (const id of this.childrenOf(parentId)) if (!now.has(id)) this.#forget(id);
    for (const row of rows) {
      const before = this.#nodes.get(row.id);
      if (before && before.parentId !== parentId) this.#leave(before);
      const list = this.#children.get(row.id);
      // A leaf that has grown: its old, empty list would hide what is below it.
      if (list && list.length !== row.childCount) this.#drop(row.id);
      this.#nodes.set(row.id, plain(row));
    }
    this.#children.set(parentId, rows.map((row) => row.id));
    const parent = parentId === null ? undefined : this.#nodes.get(parentId);
    if (parent) this.#nodes.set(parent.id, { ...parent, childCount: rows.length });
    this.#sort(parentId);
  }

  /** Upper levels of the tree at once. */
  loadNested(roots: readonly NestedTwig[]): void {
    this.load(null, roots);
    for (const root of roots) this.loadBelow(root);
  }

  /** What comes below a node that is known. */
  loadBelow(top: NestedTwig): void {
    const waiting = [top];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (!node.children) continue;
      this.load(node.id, node.children);
      for (const child of node.children) waiting.push(child);
    }
  }

  /** Forget a parent's children; they are loaded again when they are shown. */
  unload(parentId: string): void {
    this.#drop(parentId);
  }

  /** An event says what a node is now. Answers whose number of children is in doubt afterwards. */
  put(node: Omit<Twig, 'childCount'>): Doubt[] {
    const before = this.#nodes.get(node.id);
    if (before && before.version > node.version) return [];
    const doubts: Doubt[] = [];
    const isNew = node.version === 1;
    if (before && before.parentId !== node.parentId) this.#leave(before);
    const parent = node.parentId === null ? undefined : this.#nodes.get(node.parentId);
    if (parent?.childCount === 0 && !this.#children.has(parent.id)) {
      // The first below a leaf: what lies below it is known, unless the leaf has long been none.
      this.#children.set(parent.id, []);
      if (!isNew) doubts.push(parent.id);
    }
    const list = this.#children.get(node.parentId);
    if (list) {
      if (!before && !isNew) doubts.push(node.id);
      this.#nodes.set(node.id, plain({ ...node, childCount: before?.childCount ?? 0 }));
      if (!list.includes(node.id)) list.push(node.id);
      this.#sort(node.parentId);
      if (parent) this.#nodes.set(parent.id, { ...parent, childCount: list.length });
      return doubts;
    }
    // Its parent is closed, or not known at all: it is loaded with its siblings, if they are.
    if (before && before.parentId !== node.parentId) this.#forget(node.id);
    if (parent) doubts.push(parent.id);
    return doubts;
  }

  /** An event says that a node, with all below it, is gone. */
  remove(id: string): Doubt[] {
    const before = this.#nodes.get(id);
    if (before) {
      this.#leave(before);
      this.#forget(id);
      return [];
    }
    // An id is the way on which it was made: mostly that is still where it lay.
    const above = id.slice(0, Math.max(0, id.lastIndexOf('/')));
    return this.#nodes.has(above) ? [above] : [];
  }

  /** What is shown if the nodes in `open` are open. */
  rows(open: ReadonlySet<string>): TreeRow[] {
    const rows: TreeRow[] = [];
    const show = (parentId: string | null, level: number) => {
      const ids = this.childrenOf(parentId);
      ids.forEach((id, index) => {
        const node = this.#nodes.get(id);
        if (!node) return;
        const isOpen = node.childCount === 0 ? null : open.has(id) && this.#children.has(id);
        rows.push({ id, level, at: index + 1, of: ids.length, isOpen });
        if (isOpen) show(id, level + 1);
      });
    };
    show(null, 1);
    return rows;
  }

  /** Every node that has others below it. */
  branches(): string[] {
    return [...this.#nodes.values()].filter((node) => node.childCount > 0).map((node) => node.id);
  }

  #leave({ id, parentId }: Twig): void {
    const list = this.#children.get(parentId);
    if (!list) return;
    const rest = list.filter((one) => one !== id);
    this.#children.set(parentId, rest);
    const parent = parentId === null ? undefined : this.#nodes.get(parentId);
    if (parent) this.#nodes.set(parent.id, { ...parent, childCount: rest.length });
  }

  #forget(id: string): void {
    this.#drop(id);
    this.#nodes.delete(id);
  }

  #drop(parentId: string): void {
    for (const id of this.childrenOf(parentId)) this.#forget(id);
    this.#children.delete(parentId);
  }

  #sort(parentId: string | null): void {
    const node = (id: string) => this.#nodes.get(id)?.position ?? 0;
    this.#children.get(parentId)?.sort((one, other) => node(one) - node(other) || (one < other ? -1 : 1));
  }
}
