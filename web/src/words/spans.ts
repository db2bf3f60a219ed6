/** Periods and how to choose one. */

import { phrases } from './phrases';

export const spans = phrases({
  'span.label': { en: 'Period', de: 'Zeitraum' },
  'span.of': { en: '{from} to {to}', de: '{from} bis {to}' },
  'span.month': { en: 'Month', de: 'Monat' },
  'span.quarter': { en: 'Quarter', de: 'Quartal' },
  'span.year': { en: 'Year', de: 'Jahr' },
  'span.free': { en: 'Free', de: 'Frei' },
  'span.earlier': { en: 'Earlier', de: 'Früher' },
  'span.later': { en: 'Later', de: 'Später' },
  'span.quarter_of': { en: 'Q{quarter} {year}', de: '{quarter}. Quartal {year}' },
  'span.kind': { en: 'Length of the period', de: 'Länge des Zeitraums' },
});
