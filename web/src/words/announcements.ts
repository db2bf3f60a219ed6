/** What announces itself in the shell: notifications and maintenance. */

import { phrases } from './phrases';

export const announcements = phrases({
  'bell.label': { en: 'Notifications', de: 'Benachrichtigungen' },
  'bell.unread': {
    en: { one: 'Notifications, {count} unread', other: 'Notifications, {count} unread' },
    de: { one: 'Benachrichtigungen, {count} ungelesen', other: 'Benachrichtigungen, {count} ungelesen' },
  },
  'bell.all': { en: 'All notifications', de: 'Alle Benachrichtigungen' },
  'bell.read_all': { en: 'Mark all as read', de: 'Alle als gelesen markieren' },
  'bell.nothing': { en: 'Nothing new.', de: 'Nichts Neues.' },
  'notice.level.info': { en: 'Note', de: 'Hinweis' },
  'notice.level.success': { en: 'Done', de: 'Erledigt' },
  'notice.level.warning': { en: 'Warning', de: 'Warnung' },
  'notice.level.error': { en: 'Problem', de: 'Problem' },
  'notice.unread': { en: 'unread', de: 'ungelesen' },
  'maintenance.on': { en: 'Maintenance: nothing can be changed at the moment.', de: 'Wartung: Zurzeit kann nichts geändert werden.' },
  'maintenance.until': { en: 'Until {time}, in {left}.', de: 'Bis {time}, noch {left}.' },
  'maintenance.soon': { en: 'It ends any moment.', de: 'Sie endet jeden Moment.' },
  'maintenance.over': { en: 'Maintenance is over. Everything works again.', de: 'Die Wartung ist beendet. Alles geht wieder.' },
});
