import type { Kind } from '../../api/types';
import type { IconName } from '../../ui/icon';

/** The icon of each kind of function, where its own cannot be drawn. */
export const KIND_ICONS: Record<Kind, IconName> = {
  category: 'departments',
  group: 'batch',
  record: 'ledger',
  workflow: 'play',
  report: 'report',
  dataset: 'cache',
  item: 'right',
};
