import type { AccountKind } from '../../api/types';

/** In the order of a balance sheet, then of profit and loss. */
export const KINDS: readonly AccountKind[] = ['asset', 'liability', 'equity', 'income', 'expense'];
