/**
 * Every word the page says, in every language it speaks, side by side.
 *
 * `{name}` is filled in; an entry with `one` and `other` is chosen by `{count}` under the language's plural rules.
 */

export type Language = 'en' | 'de';
export const LANGUAGES: readonly Language[] = ['en', 'de'];

type Plural = { one: string; other: string };
type Entry = Record<Language, string> | Record<Language, Plural>;

export const CATALOGUE = {
  'page.title': { en: '{page} · SteinmetZ', de: '{page} · SteinmetZ' },
  'page.skip': { en: 'Skip to the numbers', de: 'Zu den Zahlen springen' },
  'page.starting': { en: 'Opening SteinmetZ', de: 'SteinmetZ wird geöffnet' },

  'language.label': { en: 'Language', de: 'Sprache' },
  'language.en': { en: 'English', de: 'Englisch' },
  'language.de': { en: 'German', de: 'Deutsch' },
  'theme.label': { en: 'Theme: {theme}. Change', de: 'Darstellung: {theme}. Wechseln' },
  'theme.system': { en: 'as the system', de: 'wie das System' },
  'theme.light': { en: 'light', de: 'hell' },
  'theme.dark': { en: 'dark', de: 'dunkel' },

  'sign_in.title': { en: 'Sign in', de: 'Anmelden' },
  'sign_in.lead': { en: 'The company at a glance, live.', de: 'Das Unternehmen auf einen Blick, live.' },
  'sign_in.email': { en: 'E-mail', de: 'E-Mail' },
  'sign_in.password': { en: 'Password', de: 'Passwort' },
  'sign_in.submit': { en: 'Sign in', de: 'Anmelden' },
  'sign_in.busy': { en: 'Signing in …', de: 'Anmeldung läuft …' },
  'sign_in.wait': {
    en: { one: 'Try again in {count} second', other: 'Try again in {count} seconds' },
    de: { one: 'Erneut in {count} Sekunde', other: 'Erneut in {count} Sekunden' },
  },
  'sign_in.ended': {
    en: 'Your session has ended. Sign in to go on.',
    de: 'Ihre Sitzung ist beendet. Melden Sie sich an, um fortzufahren.',
  },
  'sign_in.left': { en: 'You are signed out.', de: 'Sie sind abgemeldet.' },
  'sign_in.refused': { en: 'E-mail or password is wrong', de: 'E-Mail oder Passwort ist falsch' },
  'sign_out': { en: 'Sign out', de: 'Abmelden' },
  'sign_out.failed': {
    en: 'You are still signed in: the server could not be told. Try again.',
    de: 'Sie sind noch angemeldet: Der Server war nicht zu erreichen. Versuchen Sie es erneut.',
  },

  'role.admin': { en: 'Administrator', de: 'Administration' },
  'role.manager': { en: 'Manager', de: 'Leitung' },
  'role.clerk': { en: 'Clerk', de: 'Sachbearbeitung' },
  'role.auditor': { en: 'Auditor', de: 'Revision' },

  'live.connecting': { en: 'Connecting', de: 'Verbindet' },
  'live.live': { en: 'Live', de: 'Live' },
  'live.reconnecting': { en: 'Reconnecting', de: 'Verbindet neu' },
  'live.offline': { en: 'Offline', de: 'Offline' },
  'live.stale': {
    en: 'Not live at the moment. The numbers stand as of {time}; they catch up by themselves.',
    de: 'Zurzeit nicht live. Stand der Zahlen: {time}; sie werden von selbst nachgeführt.',
  },
  'live.changed': { en: 'Changed: {figures}', de: 'Geändert: {figures}' },

  'problem.network': { en: 'SteinmetZ cannot be reached', de: 'SteinmetZ ist nicht erreichbar' },
  'problem.network.detail': {
    en: 'Check the connection. The page goes on by itself once the server answers.',
    de: 'Prüfen Sie die Verbindung. Sobald der Server antwortet, geht es von selbst weiter.',
  },
  'problem.forbidden': { en: 'Your role does not include this', de: 'Ihre Rolle umfasst das nicht' },
  'problem.throttled': { en: 'Too many attempts', de: 'Zu viele Versuche' },
  'problem.unavailable': { en: 'Not available at the moment', de: 'Zurzeit nicht verfügbar' },
  'problem.failed': { en: 'That did not work', de: 'Das hat nicht geklappt' },
  'problem.request': { en: 'Request {id}', de: 'Anfrage {id}' },
  'problem.retry': { en: 'Try again', de: 'Erneut versuchen' },

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
  'invoices.count': {
    en: { one: '{number} invoice', other: '{number} invoices' },
    de: { one: '{number} Rechnung', other: '{number} Rechnungen' },
  },
  'invoices.none_open': { en: 'Everything is paid', de: 'Alles ist bezahlt' },
  'invoices.none_overdue': { en: 'Nobody is late', de: 'Niemand ist in Verzug' },
  'revenue.before': { en: '{month}: {amount}', de: '{month}: {amount}' },
  'cash.note': { en: 'on all accounts', de: 'auf allen Konten' },
  'departments.count': {
    en: { one: 'in {number} department', other: 'in {number} departments' },
    de: { one: 'in {number} Abteilung', other: 'in {number} Abteilungen' },
  },
  'hours.since': { en: 'since {day}', de: 'seit {day}' },
  'hours.value': { en: '{number} h', de: '{number} h' },
  'batch.running': {
    en: { one: '{number} running', other: '{number} running' },
    de: { one: '{number} läuft', other: '{number} laufen' },
  },
  'batch.queued': {
    en: { one: '{number} queued', other: '{number} queued' },
    de: { one: '{number} wartet', other: '{number} warten' },
  },
  'batch.failed': { en: '{number} failed', de: '{number} gescheitert' },
  'batch.done': { en: '{number} done', de: '{number} fertig' },
  'batch.cancelled': { en: '{number} cancelled', de: '{number} abgebrochen' },
  'batch.idle': { en: 'Idle', de: 'Ruhe' },
  'batch.active': { en: '{number} active', de: '{number} aktiv' },

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
  'departments.title': { en: 'People by department', de: 'Beschäftigte nach Abteilung' },
  'departments.empty': { en: 'Nobody is employed yet.', de: 'Noch ist niemand beschäftigt.' },
  'activity.empty': {
    en: 'Nothing has happened yet. The next change appears here by itself.',
    de: 'Noch ist nichts geschehen. Die nächste Änderung erscheint hier von selbst.',
  },
  'activity.system': { en: 'SteinmetZ', de: 'SteinmetZ' },
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
} as const satisfies Record<string, Entry>;

export type Phrase = keyof typeof CATALOGUE;

/** The phrase for what somebody did, by the audit log's word; undefined for a word that is newer than this page. */
export function actPhrase(action: string): Phrase | undefined {
  const key = `act.${action}`;
  return key in CATALOGUE ? (key as Phrase) : undefined;
}
