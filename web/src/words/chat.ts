/** Chat. */

import { phrases } from './phrases';

export const chat = phrases({
  'chat.channels': { en: 'Channels', de: 'Kanäle' },
  'chat.new': { en: 'New channel', de: 'Neuer Kanal' },
  'chat.archived': { en: 'Archived', de: 'Archiv' },
  'chat.open_ones': { en: 'Open', de: 'Offen' },
  'chat.private': { en: 'private', de: 'privat' },
  'chat.unread': { en: '{count} unread', de: '{count} ungelesen' },
  'chat.no_channels': { en: 'No channel here.', de: 'Hier ist kein Kanal.' },
  'chat.messages': { en: 'Messages in {channel}', de: 'Nachrichten in {channel}' },
  'chat.empty': { en: 'Nothing has been said here yet.', de: 'Hier wurde noch nichts gesagt.' },
  'chat.older': { en: 'Older messages', de: 'Ältere Nachrichten' },
  'chat.beginning': { en: 'The channel begins here.', de: 'Hier beginnt der Kanal.' },
  'chat.new_below': {
    en: { one: '{count} new message', other: '{count} new messages' },
    de: { one: '{count} neue Nachricht', other: '{count} neue Nachrichten' },
  },
  'chat.write': { en: 'Message to {channel}', de: 'Nachricht an {channel}' },
  'chat.write.hint': {
    en: 'Enter sends, Shift and Enter begins a line, the up arrow corrects your last message.',
    de: 'Enter sendet, Umschalt und Enter beginnt eine Zeile, Pfeil nach oben berichtigt Ihre letzte Nachricht.',
  },
  'chat.send': { en: 'Send', de: 'Senden' },
  'chat.sending': { en: 'sending …', de: 'wird gesendet …' },
  'chat.not_sent': { en: 'Not sent: {reason}', de: 'Nicht gesendet: {reason}' },
  'chat.no_answer': { en: 'no answer from the server', de: 'keine Antwort vom Server' },
  'chat.again': { en: 'Send again', de: 'Erneut senden' },
  'chat.discard': { en: 'Discard', de: 'Verwerfen' },
  'chat.edited': { en: 'edited', de: 'bearbeitet' },
  'chat.deleted': { en: 'Message deleted', de: 'Nachricht gelöscht' },
  'chat.edit': { en: 'Edit message', de: 'Nachricht bearbeiten' },
  'chat.delete': { en: 'Delete message', de: 'Nachricht löschen' },
  'chat.delete.text': {
    en: 'An empty message stays in its place. This cannot be undone.',
    de: 'An ihrer Stelle bleibt eine leere Nachricht. Das lässt sich nicht rückgängig machen.',
  },
  'chat.save': { en: 'Save', de: 'Speichern' },
  'chat.cancel': { en: 'Cancel', de: 'Abbrechen' },
  'chat.types': {
    en: { one: '{names} is typing …', other: '{names} are typing …' },
    de: { one: '{names} schreibt …', other: '{names} schreiben …' },
  },
  'chat.here': {
    en: { one: '{count} here', other: '{count} here' },
    de: { one: '{count} anwesend', other: '{count} anwesend' },
  },
  'chat.read_only': { en: 'This channel is archived: it can be read only.', de: 'Dieser Kanal ist archiviert: Er kann nur gelesen werden.' },
  'chat.auditor': { en: 'The auditor reads only.', de: 'Die Revision liest nur.' },
  'chat.name': { en: 'Name', de: 'Name' },
  'chat.topic': { en: 'Topic', de: 'Thema' },
  'chat.is_private': { en: 'Private: only for those who are let in', de: 'Privat: nur für die, die eingelassen werden' },
  'chat.create': { en: 'Open channel', de: 'Kanal eröffnen' },
  'chat.change': { en: 'Change channel', de: 'Kanal ändern' },
  'chat.archive': { en: 'Archive channel', de: 'Kanal archivieren' },
  'chat.archive.text': {
    en: 'It can still be read and searched, and nothing more is said in it. This cannot be undone.',
    de: 'Er kann weiter gelesen und durchsucht werden, es wird aber nichts mehr darin gesagt. Das lässt sich nicht rückgängig machen.',
  },
  'chat.leave': { en: 'Leave channel', de: 'Kanal verlassen' },
  'chat.leave.text': {
    en: 'From then on it does not exist for you, until somebody lets you in again.',
    de: 'Danach gibt es ihn für Sie nicht mehr, bis Sie jemand wieder einlässt.',
  },
  'chat.members': { en: 'Members', de: 'Mitglieder' },
  'chat.all_channels': { en: 'All channels', de: 'Alle Kanäle' },
});
