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
  'chart.title': { en: 'Revenue by month', de: 'Umsatz nach Monaten' },
  'chart.note': { en: 'net, by date of issue', de: 'netto, nach Rechnungsdatum' },
  'chart.to_date': { en: '{month}, to date', de: '{month}, bis heute' },
  'chart.summary': {
    en: 'Bar chart of {count} months. Highest: {month} with {amount}.',
    de: 'Balkendiagramm über {count} Monate. Höchster Wert: {month} mit {amount}.',
  },
  'chart.table': { en: 'As a table', de: 'Als Tabelle' },
  'chart.month': { en: 'Month', de: 'Monat' },
  'chart.revenue': { en: 'Revenue', de: 'Umsatz' },
  'chart.empty': {
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
});
