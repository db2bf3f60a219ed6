/** What charts say of themselves. */

import { phrases } from './phrases';

export const charts = phrases({
  'chart.to_date': { en: '{month}, to date', de: '{month}, bis heute' },
  'chart.summary': {
    en: 'Bar chart of {count} months. Highest: {month} with {amount}.',
    de: 'Balkendiagramm über {count} Monate. Höchster Wert: {month} mit {amount}.',
  },
  'chart.table': { en: 'As a table', de: 'Als Tabelle' },
  'chart.month': { en: 'Month', de: 'Monat' },
  'chart.area_summary': {
    en: 'Line over {count} months. Highest: {month} with {amount}.',
    de: 'Linie über {count} Monate. Höchster Wert: {month} mit {amount}.',
  },
});
