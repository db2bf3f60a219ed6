/** The overview. */

import { phrases } from './phrases';

export const overview = phrases({
  'overview.title': { en: 'Overview', de: 'Übersicht' },
  'overview.loading': { en: 'Loading the numbers', de: 'Zahlen werden geladen' },
  'figure.revenue': { en: 'Revenue this month', de: 'Umsatz im Monat' },
  'figure.openInvoices': { en: 'Open invoices', de: 'Offene Rechnungen' },
  'figure.overdueInvoices': { en: 'Overdue', de: 'Überfällig' },
  'figure.cash': { en: 'Cash and bank', de: 'Kasse und Bank' },
  'figure.headcount': { en: 'Headcount', de: 'Beschäftigte' },
  'figure.hoursThisWeek': { en: 'Hours this week', de: 'Stunden diese Woche' },
  'figure.batch': { en: 'Batch jobs', de: 'Stapeljobs' },
  'figure.activity': { en: 'Recent activity', de: 'Letzte Vorgänge' },
  'overview.none_open': { en: 'Everything is paid', de: 'Alles ist bezahlt' },
  'overview.none_overdue': { en: 'Nobody is late', de: 'Niemand ist in Verzug' },
  'overview.revenue_before': { en: '{month}: {amount}', de: '{month}: {amount}' },
  'overview.cash_note': { en: 'on all accounts', de: 'auf allen Konten' },
  'overview.hours_since': { en: 'since {day}', de: 'seit {day}' },
  'overview.hours_value': { en: '{number} h', de: '{number} h' },
  'overview.batch_failed': { en: '{number} failed', de: '{number} gescheitert' },
  'overview.batch_done': { en: '{number} done', de: '{number} fertig' },
  'overview.batch_cancelled': { en: '{number} cancelled', de: '{number} abgebrochen' },
  'overview.batch_idle': { en: 'Idle', de: 'Ruhe' },
  'overview.batch_active': { en: '{number} active', de: '{number} aktiv' },
  'overview.revenue_chart': { en: 'Revenue by month', de: 'Umsatz nach Monaten' },
  'overview.revenue_note': { en: 'net, by date of issue', de: 'netto, nach Rechnungsdatum' },
  'overview.revenue_sum': { en: 'Revenue', de: 'Umsatz' },
  'overview.revenue_empty': {
    en: 'No invoice has been sent in these months.',
    de: 'In diesen Monaten wurde keine Rechnung versandt.',
  },
  'overview.departments_title': { en: 'People by department', de: 'Beschäftigte nach Abteilung' },
  'overview.departments_empty': { en: 'Nobody is employed yet.', de: 'Noch ist niemand beschäftigt.' },
  'activity.empty': {
    en: 'Nothing has happened yet. The next change appears here by itself.',
    de: 'Noch ist nichts geschehen. Die nächste Änderung erscheint hier von selbst.',
  },
  'activity.system': { en: 'SteinmetZ', de: 'SteinmetZ' },
  'overview.invoices': {
    en: { one: '{number} invoice', other: '{number} invoices' },
    de: { one: '{number} Rechnung', other: '{number} Rechnungen' },
  },
  'overview.departments_count': {
    en: { one: 'in {number} department', other: 'in {number} departments' },
    de: { one: 'in {number} Abteilung', other: 'in {number} Abteilungen' },
  },
  'overview.batch_running': {
    en: { one: '{number} running', other: '{number} running' },
    de: { one: '{number} läuft', other: '{number} laufen' },
  },
  'overview.batch_queued': {
    en: { one: '{number} queued', other: '{number} queued' },
    de: { one: '{number} wartet', other: '{number} warten' },
  },
  'overview.cash_chart': { en: 'Cash and bank', de: 'Kasse und Bank' },
  'overview.cash_chart_note': { en: 'at the end of each month', de: 'am Ende jedes Monats' },
  'overview.cash_sum': { en: 'Balance', de: 'Bestand' },
  'overview.cash_empty': { en: 'Nothing has been paid in yet.', de: 'Noch ist nichts eingegangen.' },
});
