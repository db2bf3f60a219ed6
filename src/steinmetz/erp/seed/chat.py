"""Channels of the departments and what was said in them in the last weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.chat.rules import GENERAL, name_key, private_id, public_id
from steinmetz.erp.seed.people import DIVISIONS, LOGINS, Staff
from steinmetz.erp.seed.rows import ChannelRow, MemberRow, MessageRow, ReadRow, UserRow
from steinmetz.erp.seed.workdays import at, days, is_workday, window_start

_WEEKS = 4
_CLOSING = "Quartalsabschluss"

_TOPICS = {
    "Produktion": "Schichten, Maschinen, Material",
    "Lager und Versand": "Wareneingang, Versand, Inventur",
    "Entwicklung": "Zeichnungen, Versuche, Steuerungen",
    "Service und Montage": "Einsätze und Ersatzteile",
    "Vertrieb": "Angebote, Aufträge, Messen",
    "Finanzen und Personal": "Rechnungen, Zahlungen, Urlaub",
    "Einkauf": "Lieferanten und Preise",
    "IT und Verwaltung": "Zugänge, Geräte, Gebäude",
}

_TALKS: dict[str, tuple[tuple[str, ...], ...]] = {
    GENERAL: (
        ("Guten Morgen zusammen, der Parkplatz Nord ist heute gesperrt.", "Danke für den Hinweis!"),
        (
            "In der Kantine gibt es heute Linsen mit Spätzle.",
            "Wir kommen um zwölf.",
            "Bitte zwei Plätze freihalten.",
        ),
        ("Wer hat den Schlüssel für den Besprechungsraum 2?", "Liegt am Empfang.", "Gefunden, danke."),
        ("Herzlichen Glückwunsch zum Dienstjubiläum!", "Auch von uns alles Gute.", "Vielen Dank euch allen!"),
        ("Der Betriebsarzt ist am Donnerstag von 9 bis 12 Uhr im Haus.", "Braucht man einen Termin?", "Nein."),
    ),
    "Produktion": (
        ("Drehmaschine 3 steht, die Spindel wird zu warm.", "Instandhaltung ist unterwegs.", "Läuft wieder."),
        ("Für Auftrag {number} fehlen noch 40 Wellen.", "Kommen heute mit dem zweiten Transport."),
        ("Der Prüfstand ist bis 14 Uhr belegt.", "Dann plane ich die Abnahme auf 15 Uhr.", "Passt."),
        ("Wer übernimmt am Samstag die Frühschicht?", "Ich kann.", "Danke, ist eingetragen."),
    ),
    "Lager und Versand": (
        ("Der Spediteur kommt eine Stunde später.", "Gut, dann laden wir {number} zuerst."),
        ("Palette {number} hat keinen Lieferschein.", "Schicke ich sofort rüber.", "Ist da, danke."),
        ("Im Regal C 12 stimmt der Bestand nicht.", "Zähle ich nach.", "Es fehlen 8 Stück, ich buche es."),
    ),
    "Entwicklung": (
        ("Die neue Zeichnung zum Getriebe {number} ist freigegeben.", "Welche Revision?", "Revision C."),
        ("Der Dauerlauf hat 2.000 Stunden erreicht.", "Verschleiß?", "Kaum messbar."),
        ("Kann jemand die Stückliste {number} gegenlesen?", "Mache ich heute Nachmittag."),
    ),
    "Service und Montage": (
        ("Der Kunde aus Ulm meldet Geräusche am Antrieb.", "Ich bin morgen in der Nähe.", "Super, Termin um 10."),
        ("Ersatzteil {number} ist nicht am Lager.", "Bestellt, kommt am Mittwoch."),
        ("Die Inbetriebnahme ist abgeschlossen, Protokoll folgt.", "Sehr gut!"),
    ),
    "Vertrieb": (
        ("Angebot {number} ist angenommen!", "Glückwunsch!", "Starke Leistung."),
        ("Wer fährt zur Messe nach Hannover?", "Wir sind zu dritt.", "Hotel ist gebucht."),
        ("Der Kunde bittet um 3 Prozent Nachlass.", "Bei der Menge vertretbar.", "Dann sage ich zu."),
    ),
    "Finanzen und Personal": (
        ("Rechnung {number} ist zum zweiten Mal gemahnt.", "Ich rufe dort an.", "Zahlung kommt am Freitag."),
        ("Bitte die Stundenzettel bis Freitag abgeben.", "Erledigt.", "Bei uns auch."),
        ("Die Umsatzsteuer-Voranmeldung ist raus.", "Danke!"),
    ),
    "Einkauf": (
        ("Der Stahlpreis steigt zum Quartal um 4 Prozent.", "Dann ziehen wir die Bestellung {number} vor."),
        ("Neuer Lieferant für Dichtungen gefunden.", "Muster schon da?", "Kommen nächste Woche."),
    ),
    "IT und Verwaltung": (
        ("Heute ab 18 Uhr ist das Netz kurz weg.", "Wie lange?", "Etwa zehn Minuten."),
        ("Der Drucker im zweiten Stock druckt wieder.", "Endlich!"),
        ("Bitte die alten Zugangskarten zurückgeben.", "Liegen bei mir.", "Hole ich ab."),
    ),
    _CLOSING: (
        ("Die Abgrenzungen sind gebucht.", "Rückstellungen auch?", "Ja, bis auf die Garantien."),
        ("Bitte den Saldo des Kontos 1200 prüfen.", "Stimmt mit dem Auszug überein."),
    ),
}


class _Place(NamedTuple):
    """A channel with those who talk in it."""

    row: ChannelRow
    speakers: list[UserRow]


class Talk:
    """A channel for each department, a private one for the books, and four weeks of messages."""

    def __init__(self, people: Staff, seed: int, today: date) -> None:
        self._rng = Random(f"{seed}/chat")
        self._today = today
        self._begun = at(window_start(today), 0.05)
        self._logins = [user for user in people.users[: len(LOGINS)] if user.role != Role.AUDITOR]
        self._owner = next(user for user in self._logins if user.role == Role.MANAGER)
        self._places = list(self._made(people))

    def _made(self, people: Staff) -> Iterator[_Place]:
        users = {user.id: user for user in people.users}
        working = [person for person in people.employees if person.user_id and person.left_on is None]
        everybody = [users[person.user_id] for person in working if person.user_id is not None]
        yield _Place(self._channel(GENERAL, GENERAL, "", None), everybody or self._logins)
        for number, division in enumerate(DIVISIONS, 1):
            own = [users[each.user_id] for each in working if each.department_id == number and each.user_id]
            channel = self._channel(
                public_id(division.name), division.name, _TOPICS[division.name], self._owner.id
            )
            yield _Place(channel, own + self._logins)
        closing = self._channel(
            private_id(f"{self._rng.getrandbits(64):016x}"), _CLOSING, "Nur für die Buchhaltung", self._owner.id
        )
        books = [user for user in self._logins if user.role != Role.ADMIN]
        yield _Place(closing._replace(is_private=True), books)

    def _channel(self, channel_id: str, name: str, topic: str, owner_id: int | None) -> ChannelRow:
        return ChannelRow(channel_id, name, name_key(name), topic, False, owner_id, self._begun, None, 1)

    def rows(self) -> Iterator[ChannelRow | MemberRow | MessageRow | ReadRow]:
        for place in self._places:
            if place.row.id != GENERAL:  # which has come with the schema
                yield place.row
            if place.row.is_private:
                yield from (MemberRow(place.row.id, user.id, self._begun) for user in place.speakers)
        newest: dict[str, list[int]] = {place.row.id: [] for place in self._places}
        for number, message in enumerate(sorted(self._said(), key=lambda each: each.at), 1):
            newest[message.channel_id].append(number)
            yield message._replace(id=number)
        for place in self._places:
            for user in place.speakers if place.row.is_private else self._logins:
                seen = newest[place.row.id][: -self._rng.randint(1, 5)]
                if seen:
                    yield ReadRow(user.id, place.row.id, seen[-1])

    def _said(self) -> Iterator[MessageRow]:
        first = self._today - timedelta(weeks=_WEEKS)
        for day in days(first, self._today - timedelta(days=1)):
            if is_workday(day):
                for place in self._places:
                    if self._rng.random() < (0.9 if place.row.id == GENERAL else 0.6):
                        yield from self._thread(place, at(day, 0.9 * self._rng.random()))

    def _thread(self, place: _Place, begun: datetime) -> Iterator[MessageRow]:
        number = self._rng.randint(1_000, 9_999)
        talked = self._rng.choice(_TALKS[place.row.name])
        speakers = self._rng.sample(place.speakers, min(len(place.speakers), len(talked)))
        for turn, line in enumerate(talked):
            begun += timedelta(seconds=self._rng.randint(20, 400))
            speaker = speakers[turn % len(speakers)]
            text = line.format(number=number)
            yield MessageRow(0, place.row.id, speaker.id, speaker.name, text, begun, None, None, None, 1)
