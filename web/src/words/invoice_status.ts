/** How an invoice stands. */

import { phrases } from './phrases';

export const invoiceStatus = phrases({
  'invoice_status.draft': { en: 'Draft', de: 'Entwurf' },
  'invoice_status.sent': { en: 'Sent', de: 'Versandt' },
  'invoice_status.overdue': { en: 'Overdue', de: 'Überfällig' },
  'invoice_status.paid': { en: 'Paid', de: 'Bezahlt' },
  'invoice_status.cancelled': { en: 'Cancelled', de: 'Storniert' },
});
