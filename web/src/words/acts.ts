/** What somebody did, by the audit log's word for it. */

import type { Phrase } from './index';
import { entryOf, phrases } from './phrases';

export const acts = phrases({
  'act.customer.create': { en: 'Customer created', de: 'Kunde angelegt' },
  'act.customer.change': { en: 'Customer changed', de: 'Kunde geändert' },
  'act.function.create': { en: 'Function created', de: 'Funktion angelegt' },
  'act.function.change': { en: 'Function changed', de: 'Funktion geändert' },
  'act.function.move': { en: 'Function moved', de: 'Funktion verschoben' },
  'act.function.delete': { en: 'Function deleted', de: 'Funktion gelöscht' },
  'act.catalog.reload': { en: 'Catalogue reloaded', de: 'Katalog neu geladen' },
  'act.invoice.create': { en: 'Invoice drafted', de: 'Rechnung entworfen' },
  'act.invoice.change': { en: 'Draft changed', de: 'Entwurf geändert' },
  'act.invoice.send': { en: 'Invoice sent', de: 'Rechnung versandt' },
  'act.invoice.pay': { en: 'Payment received', de: 'Zahlung eingegangen' },
  'act.invoice.cancel': { en: 'Invoice cancelled', de: 'Rechnung storniert' },
  'act.invoice.fall_due': { en: 'Invoice overdue', de: 'Rechnung überfällig' },
  'act.user.create': { en: 'User created', de: 'Benutzer angelegt' },
  'act.user.change': { en: 'User changed', de: 'Benutzer geändert' },
  'act.user.disable': { en: 'User disabled', de: 'Benutzer gesperrt' },
  'act.user.enable': { en: 'User enabled', de: 'Benutzer freigegeben' },
  'act.user.password': { en: 'Password changed', de: 'Passwort geändert' },
});

/** The phrase for an action; undefined for a word that is newer than this page. */
export function actPhrase(action: string): Phrase | undefined {
  const key = `act.${action}`;
  return entryOf(key) ? (key as Phrase) : undefined;
}
