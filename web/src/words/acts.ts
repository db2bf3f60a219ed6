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
  'act.invoice.credit': { en: 'Credit note issued', de: 'Gutschrift erstellt' },
  'act.invoice.refund': { en: 'Payment refunded', de: 'Zahlung erstattet' },
  'act.journal.post': { en: 'Entry posted', de: 'Buchung erfasst' },
  'act.journal.reverse': { en: 'Entry reversed', de: 'Buchung storniert' },
  'act.account.create': { en: 'Account opened', de: 'Konto angelegt' },
  'act.account.change': { en: 'Account changed', de: 'Konto geändert' },
  'act.company.change': { en: 'Company changed', de: 'Firma geändert' },
  'act.department.create': { en: 'Department created', de: 'Abteilung angelegt' },
  'act.department.change': { en: 'Department changed', de: 'Abteilung geändert' },
  'act.department.delete': { en: 'Department deleted', de: 'Abteilung gelöscht' },
  'act.employee.create': { en: 'Employee created', de: 'Mitarbeiter angelegt' },
  'act.employee.change': { en: 'Employee changed', de: 'Mitarbeiter geändert' },
  'act.leave.change': { en: 'Leave request changed', de: 'Urlaubsantrag geändert' },
  'act.time_entry.create': { en: 'Time entered', de: 'Zeit erfasst' },
  'act.time_entry.change': { en: 'Time entry changed', de: 'Zeiteintrag geändert' },
  'act.time_entry.delete': { en: 'Time entry deleted', de: 'Zeiteintrag gelöscht' },
  'act.catalog.import': { en: 'Catalogue imported', de: 'Katalog importiert' },
  'act.batch_job.create': { en: 'Job begun', de: 'Auftrag begonnen' },
  'act.batch_job.finish': { en: 'Job ended', de: 'Auftrag beendet' },
  'act.batch_job.cancel': { en: 'Job cancelled', de: 'Auftrag abgebrochen' },
  'act.batch_job.retry': { en: 'Job tried again', de: 'Auftrag wiederholt' },
  'act.batch_job.delete': { en: 'Job deleted', de: 'Auftrag gelöscht' },
  'act.notification.create': { en: 'Notification sent', de: 'Benachrichtigung gesendet' },
  'act.notification.delete': { en: 'Notification deleted', de: 'Benachrichtigung gelöscht' },
  'act.chat.message.change': { en: 'Message changed', de: 'Nachricht geändert' },
  'act.chat.message.delete': { en: 'Message deleted', de: 'Nachricht gelöscht' },
  'act.session.revoke': { en: 'Session ended', de: 'Sitzung beendet' },
});

type WordOf<Key> = Key extends `act.${infer Word}` ? Word : never;
type Act = WordOf<keyof typeof acts>;
/** The log's own words for them. */
export const ACTS = Object.keys(acts).map((phrase) => phrase.slice('act.'.length)) as readonly Act[];

/** The phrase for an action; undefined for a word that is newer than this page. */
export function actPhrase(action: string): Phrase | undefined {
  const key = `act.${action}`;
  return entryOf(key) ? (key as Phrase) : undefined;
}
