import { expect, test } from 'vitest';
import { FunctionTree, type NestedTwig, type Twig } from './function_tree';

function twig(id: string, parentId: string | null, more: Partial<Twig> = {}): NestedTwig {
  return { id, parentId, title: id, icon: '', kind: 'group', position: 0, version: 1, childCount: 0, ...more };
}

function small(): FunctionTree {
  const tree = new FunctionTree();
  tree.loadNested([
    { ...twig('a', null, { childCount: 2 }), children: [twig('a/1', 'a'), twig('a/2', 'a', { position: 1, childCount: 3 })] },
    { ...twig('b', null, { position: 1, childCount: 1 }), children: [twig('b/1', 'b')] },
  ]);
  return tree;
}
const shown = (tree: FunctionTree, ...open: string[]) => tree.rows(new Set(open)).map((row) => row.id);

test('shows what is open and loaded, with places among siblings', () => {
  const tree = small();
  expect(shown(tree)).toEqual(['a', 'b']);
  expect(shown(tree, 'a', 'a/2')).toEqual(['a', 'a/1', 'a/2', 'b']);
  expect(tree.rows(new Set(['a']))[2]).toEqual({ id: 'a/2', level: 2, at: 2, of: 2, isOpen: false });
  expect(tree.trail('a/2')).toEqual(['a']);
});

test('a moved node leaves its old list and stands in its order in the new one', () => {
  const tree = small();
  tree.load('a/2', [twig('a/2/x', 'a/2')]);
  expect(tree.put(twig('a/2', 'b', { position: 0, version: 2 }))).toEqual([]);
  expect(shown(tree, 'a', 'b', 'a/2')).toEqual(['a', 'a/1', 'b', 'a/2', 'a/2/x', 'b/1']);
  expect(tree.get('a')?.childCount).toBe(1);
  expect(tree.get('b')?.childCount).toBe(2);
});

test('the first below a leaf is shown where it lies', () => {
  const tree = small();
  expect(tree.put(twig('b/1/new', 'b/1'))).toEqual([]);
  expect(shown(tree, 'b', 'b/1')).toEqual(['a', 'b', 'b/1', 'b/1/new']);
  // One that was moved there may not be the first: its parent's number is asked for.
  expect(tree.put(twig('elsewhere', 'a/1', { version: 4 }))).toEqual(['a/1', 'elsewhere']);
});

test('what is older than what is known changes nothing', () => {
  const tree = small();
  tree.put(twig('a/1', 'a', { title: 'new', version: 3 }));
  tree.put(twig('a/1', 'b', { title: 'old', version: 2 }));
  expect(tree.get('a/1')?.title).toBe('new');
  expect(shown(tree, 'a', 'b')).toContain('a/1');
});

test('what goes below a closed parent leaves its count in doubt', () => {
  const tree = small();
  expect(tree.put(twig('a/1', 'a/2', { version: 2 }))).toEqual(['a/2']);
  expect(shown(tree, 'a', 'a/2', 'b')).toEqual(['a', 'a/2', 'b', 'b/1']);
  expect(tree.remove('a/2/never-seen')).toEqual(['a/2']);
  expect(tree.put(twig('elsewhere/1', 'elsewhere', { version: 2 }))).toEqual([]);
});

test('a deleted node takes what lies below it along, and a parent without children is a leaf', () => {
  const tree = small();
  tree.remove('b/1');
  expect(tree.rows(new Set(['b'])).at(-1)).toEqual({ id: 'b', level: 1, at: 2, of: 2, isOpen: null });
  tree.remove('a');
  expect(tree.size).toBe(1);
});

test('a list that is read again drops what is gone, and lists that no longer fit', () => {
  const tree = small();
  tree.load('a/2', [twig('a/2/x', 'a/2'), twig('a/2/y', 'a/2', { position: 1 }), twig('a/2/z', 'a/2', { position: 2 })]);
  tree.load('a', [twig('a/2', 'a', { childCount: 3 })]);
  expect(shown(tree, 'a', 'a/2')).toEqual(['a', 'a/2', 'a/2/x', 'a/2/y', 'a/2/z', 'b']);
  tree.load('a', [twig('a/2', 'a', { childCount: 4 })]);
  expect(tree.isLoaded('a/2')).toBe(false);
});
