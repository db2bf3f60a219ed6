/**
 * The open tree of functions: what is loaded, what is open, and how it follows the commits of others.
 *
 * The upper two levels come at once, deeper ones when they are opened, everything in one answer for "open all".
 * While somebody looks, `catalog:update` moves single nodes and `catalog:reload`, like a new connection, has the
 * open part read again. What is heard while an answer is on its way may be newer than the answer: it is put in again
 * behind it.
 */

import { signal } from '@preact/signals';
import { asProblem, type Problem } from '../../api/problem';
import type { ChangedNode, GoneNode } from '../../events';
import { connection } from '../../live/current';
import { MARK_MS } from '../../live/changed';
import { api } from '../../session/current';
import { FunctionTree, type Doubt } from './function_tree';

type Heard = ChangedNode | GoneNode;

const FIRST_LEVELS = 2;
/** The server's own bound of the tree's depth. */
const ALL_LEVELS = 12;
/** So many open branches are read again one by one; more are read in one answer. */
const FEW_BRANCHES = 24;
/** What many commits leave in doubt is asked once. */
const RECOUNT_AFTER_MS = 250;

export class FunctionsStore {
  readonly tree = new FunctionTree();
  /** Rises with each change of `tree` or of what is open. */
  readonly turn = signal(0);
  readonly phase = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly problem = signal<Problem | null>(null);
  /** Branches whose children are on their way. */
  readonly coming = signal<ReadonlySet<string>>(new Set());
  readonly isOpeningAll = signal(false);
  /** Nodes that somebody has changed just now. */
  readonly marks = signal<ReadonlySet<string>>(new Set());
  open: ReadonlySet<string> = new Set();
  /** The row that the keys act upon. */
  readonly active = signal<string | null>(null);
  scrollTop = 0;

  #watchers = 0;
  #stops: (() => void)[] = [];
  #asked = 0;
  #heard: Heard[] = [];
  #doubts = new Set<Doubt>();
  #recount: ReturnType<typeof setTimeout> | undefined;
  #reading = 0;

  /** Follow others' commits until the returned function is called; what was missed before is read first. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      const update = (heard: Heard) => this.#hear(heard);
      const reload = () => void this.read();
      connection.socket.on('catalog:update', update);
      connection.socket.on('catalog:reload', reload);
      let isFirst = true;
      const stop = connection.onConnect(() => {
        // The read below covers a connection that is made meanwhile.
        if (!isFirst) void this.read();
      });
      isFirst = false;
      this.#stops = [
        () => connection.socket.off('catalog:update', update),
        () => connection.socket.off('catalog:reload', reload),
        stop,
      ];
      void this.read();
    }
    return () => {
      if (--this.#watchers > 0) return;
      for (const stop of this.#stops) stop();
      clearTimeout(this.#recount);
    };
  }

  /** Read again what is open. */
  async read(): Promise<void> {
    const reading = ++this.#reading;
    const branches = [...this.open].filter((id) => this.tree.isLoaded(id));
    const isMuch = branches.length > FEW_BRANCHES;
    await this.#answered(async () => {
      const { data } = await api.get('/api/functions', { query: { depth: isMuch ? ALL_LEVELS : FIRST_LEVELS } });
      if (reading !== this.#reading) return;
      this.tree.loadNested(data);
      this.phase.value = 'ready';
      this.problem.value = null;
      if (isMuch) return;
      const upper = new Set(this.tree.childrenOf(null));
      for (const id of this.tree.loadedParents()) if (!upper.has(id) && !this.open.has(id)) this.tree.unload(id);
      this.#changed();
      // Parents before their children, so that nothing is read for a branch that is gone.
      for (const id of branches) if (!upper.has(id) && this.tree.get(id)) await this.#readChildren(id);
      await this.#fillOpen();
    }).catch((error: unknown) => {
      if (reading !== this.#reading) return;
      this.problem.value = asProblem(error);
      this.phase.value = 'failed';
    });
  }

  async toggle(id: string, isOpen: boolean): Promise<void> {
    this.open = new Set(isOpen ? [...this.open, id] : [...this.open].filter((one) => one !== id));
    this.#changed();
    if (isOpen) await this.ensure(id);
  }

  /** Open several branches beside each other. */
  async openAllOf(ids: readonly string[]): Promise<void> {
    this.open = new Set([...this.open, ...ids]);
    this.#changed();
    for (const id of ids) await this.ensure(id);
  }

  /** Have a branch's children here. */
  async ensure(id: string): Promise<void> {
    const node = this.tree.get(id);
    if (!node || node.childCount === 0 || this.tree.isLoaded(id) || this.coming.peek().has(id)) return;
    this.coming.value = new Set([...this.coming.peek(), id]);
    try {
      await this.#answered(() => this.#readChildren(id));
    } catch (error) {
      this.problem.value = asProblem(error);
      this.open = new Set([...this.open].filter((one) => one !== id));
      this.#changed();
    } finally {
      this.coming.value = new Set([...this.coming.peek()].filter((one) => one !== id));
    }
  }

  /** Open the way to a node and make it the active one; `trail` goes from the area to its parent. */
  async reveal(id: string, trail: readonly string[]): Promise<void> {
    this.active.value = id;
    this.open = new Set([...this.open, ...trail]);
    for (const step of trail) await this.ensure(step);
    this.#changed();
  }

  async openAll(): Promise<void> {
    this.isOpeningAll.value = true;
    try {
      await this.#answered(async () => {
        const { data } = await api.get('/api/functions', { query: { depth: ALL_LEVELS } });
        this.tree.load(null, data);
        for (const area of data) {
          if (this.tree.get(area.id)) this.tree.loadBelow(area); // it may have gone meanwhile
          await new Promise((next) => setTimeout(next)); // keys and clicks come between two areas
        }
      });
      this.open = new Set(this.tree.branches());
    } catch (error) {
      this.problem.value = asProblem(error);
    } finally {
      this.isOpeningAll.value = false;
      this.#changed();
    }
  }

  closeAll(): void {
    this.open = new Set();
    const active = this.active.peek();
    if (active) this.active.value = this.tree.trail(active)[0] ?? active;
    this.#changed();
  }

  /** Take up what a write of our own answered, before the event says it. */
  put(node: ChangedNode['function']): void {
    this.#doubt(this.tree.put(node));
    this.#changed();
  }

  async #readChildren(id: string): Promise<void> {
    const { data } = await api.get('/api/functions/nodes/{node_id}/children', { path: { node_id: id } });
    this.tree.load(id, data);
    this.#changed();
  }

  /** What is open and has grown children meanwhile shows them. */
  async #fillOpen(): Promise<void> {
    for (const id of this.open) await this.ensure(id);
  }

  /** Ask, and put in again what was heard meanwhile. */
  async #answered(ask: () => Promise<void>): Promise<void> {
    this.#asked++;
    try {
      await ask();
    } finally {
      for (const heard of this.#heard) this.#apply(heard);
      if (--this.#asked === 0) this.#heard = [];
      this.#changed();
    }
  }

  #hear(heard: Heard): void {
    if (this.#asked > 0) this.#heard.push(heard);
    const id = 'function' in heard ? heard.function.id : heard.deleted;
    this.#apply(heard);
    if ('function' in heard) this.#mark(id);
    this.#changed();
  }

  #apply(heard: Heard): void {
    this.#doubt('function' in heard ? this.tree.put(heard.function) : this.tree.remove(heard.deleted));
  }

  /** Ask for the numbers of children that an event has left in doubt: each stands in its parent's list. */
  #doubt(ids: readonly Doubt[]): void {
    for (const id of ids) if (id !== null) this.#doubts.add(this.tree.get(id)?.parentId ?? null);
    if (this.#doubts.size === 0) return;
    clearTimeout(this.#recount);
    this.#recount = setTimeout(() => void this.#settle(), RECOUNT_AFTER_MS);
  }

  async #settle(): Promise<void> {
    const lists = [...this.#doubts];
    this.#doubts.clear();
    try {
      await this.#answered(async () => {
        for (const id of lists) {
          if (id !== null && this.tree.isLoaded(id)) await this.#readChildren(id);
          else if (id === null) {
            const { data } = await api.get('/api/functions', { query: { depth: 1 } });
            this.tree.load(null, data);
          }
        }
      });
      await this.#fillOpen();
    } catch {
      // A count that cannot be asked for now is asked for with the next connection.
    }
  }

  #mark(id: string): void {
    this.marks.value = new Set([...this.marks.peek(), id]);
    setTimeout(() => {
      this.marks.value = new Set([...this.marks.peek()].filter((one) => one !== id));
    }, MARK_MS);
  }

  #changed(): void {
    this.turn.value++;
  }
}

let store: { userId: number; functions: FunctionsStore } | null = null;

/** The tree as this user sees it; it stays as it is while the page shows something else. */
export function functionsOf(userId: number): FunctionsStore {
  if (store?.userId !== userId) store = { userId, functions: new FunctionsStore() };
  return store.functions;
}
