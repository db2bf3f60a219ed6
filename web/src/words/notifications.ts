/** Notifications and maintenance, on their pages. */

import { phrases } from './phrases';

export const notifications = phrases({
  'notices.all': { en: 'All', de: 'Alle' },
  'notices.unread': { en: 'Unread', de: 'Ungelesen' },
  'notices.filter': { en: 'Which notifications', de: 'Welche Benachrichtigungen' },
  'notices.empty': { en: 'Nobody has told you anything yet.', de: 'Noch hat Ihnen niemand etwas mitgeteilt.' },
  'notices.empty.unread': { en: 'You have read everything.', de: 'Sie haben alles gelesen.' },
  'notices.write': { en: 'Write notification', de: 'Mitteilung schreiben' },
  'notices.send': { en: 'Send', de: 'Senden' },
  'notices.sent': { en: 'Sent', de: 'Gesendet' },
  'notices.take_back': { en: 'Take back', de: 'Zurücknehmen' },
  'notices.take_back.text': {
    en: 'Nobody sees it any more. This cannot be undone.',
    de: 'Niemand sieht sie mehr. Das lässt sich nicht rückgängig machen.',
  },
  'notices.audience': { en: 'To', de: 'An' },
  'notices.audience.all': { en: 'Everybody', de: 'Alle' },
  'notices.audience.role': { en: 'All with the role {role}', de: 'Alle mit der Rolle {role}' },
  'notices.level': { en: 'Level', de: 'Stufe' },
  'notices.title': { en: 'Title', de: 'Titel' },
  'notices.message': { en: 'Message', de: 'Nachricht' },
  'notices.link': { en: 'Link to a page of ours', de: 'Link auf eine unserer Seiten' },
  'notices.link.hint': { en: 'Such as /customers', de: 'Etwa /customers' },
  'maintenance.lead': {
    en: 'While maintenance is on, everybody can read and sign in, and nobody can change anything.',
    de: 'Während der Wartung können alle lesen und sich anmelden, aber niemand kann etwas ändern.',
  },
  'maintenance.state': { en: 'State', de: 'Zustand' },
  'maintenance.state.on': { en: 'Maintenance is on', de: 'Die Wartung läuft' },
  'maintenance.state.off': { en: 'Normal operation', de: 'Normaler Betrieb' },
  'maintenance.since': { en: 'Since {time}, by {name}', de: 'Seit {time}, durch {name}' },
  'maintenance.message': { en: 'What everybody reads', de: 'Was alle lesen' },
  'maintenance.minutes': { en: 'Ends by itself after', de: 'Endet von selbst nach' },
  'maintenance.minutes.hint': { en: 'Minutes; 0: when it is switched off', de: 'Minuten; 0: wenn sie ausgeschaltet wird' },
  'maintenance.switch_on': { en: 'Switch maintenance on', de: 'Wartung einschalten' },
  'maintenance.switch_on.text': {
    en: 'From now on all changes are refused, for everybody, and everybody is told at once.',
    de: 'Ab sofort werden alle Änderungen abgewiesen, für alle, und alle erfahren es sofort.',
  },
  'maintenance.switch_off': { en: 'Switch maintenance off', de: 'Wartung ausschalten' },
  'maintenance.switched_on': { en: 'Maintenance is on', de: 'Die Wartung läuft' },
  'maintenance.switched_off': { en: 'Maintenance is off', de: 'Die Wartung ist aus' },
});
