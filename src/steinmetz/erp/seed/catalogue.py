"""The catalogue of business functions: areas and subjects from areas.txt, each subject unfolded by its kind.

The same for every seed, so that the ids of the demo are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from random import Random
from typing import NamedTuple

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.rules import Kind, node_id
from steinmetz.erp.seed.rows import CatalogRulesRow, FunctionNodeRow, Json

_KIND_OF_MARK = {"=": Kind.RECORD, ">": Kind.WORKFLOW, "#": Kind.REPORT, "*": Kind.DATASET}
_ICON_OF_KIND = {Kind.RECORD: "🗃️", Kind.WORKFLOW: "🎯", Kind.REPORT: "📄", Kind.DATASET: "🗄️"}


class Facet(NamedTuple):
    """A side of a subject, what it says of itself, and what can be done there."""

    title: str
    icon: str
    description: str
    steps: tuple[str, ...]


FACETS: dict[Kind, tuple[Facet, ...]] = {
    Kind.RECORD: (
        Facet(
            "Stammblatt",
            "📇",
            "Alle Angaben zu „{subject}“ auf einer Seite.",
            ("Kopfdaten", "Einordnung", "Verknüpfte Vorgänge", "Anlagen", "Notizen"),
        ),
        Facet(
            "Pflege",
            "✏️",
            "„{subject}“ anlegen, ändern und stilllegen.",
            ("Neu anlegen", "Ändern mit Begründung", "Sperren und freigeben", "Dubletten vereinen", "Kopieren"),
        ),
        Facet(
            "Suche und Listen",
            "🔍",
            "„{subject}“ finden, filtern und weitergeben.",
            ("Schnellsuche", "Gespeicherte Filter", "Spaltenauswahl", "Druckliste", "Ausgabe als Tabelle"),
        ),
        Facet(
            "Änderungsverlauf",
            "🕰️",
            "Wer an „{subject}“ was wann geändert hat.",
            ("Zeitleiste", "Alter und neuer Wert", "Änderung zurücknehmen", "Nachweis für Prüfer"),
        ),
        Facet(
            "Datenübernahme",
            "📥",
            "„{subject}“ aus Dateien und fremden Systemen.",
            ("Datei einlesen", "Felder zuordnen", "Probelauf", "Fehlerliste", "Übernahme bestätigen"),
        ),
        Facet(
            "Zuständigkeiten",
            "🔐",
            "Wer „{subject}“ sieht und ändert.",
            ("Verantwortliche Stelle", "Vertretung", "Leserechte", "Schreibrechte"),
        ),
    ),
    Kind.WORKFLOW: (
        Facet(
            "Auslösen",
            "▶️",
            "Wodurch „{subject}“ beginnt.",
            ("Von Hand starten", "Nach Zeitplan", "Durch ein Ereignis", "Voraussetzungen prüfen"),
        ),
        Facet(
            "Bearbeiten",
            "🛠️",
            "Die Schritte von „{subject}“.",
            ("Arbeitsvorrat", "Angaben ergänzen", "Rückfrage stellen", "Weiterleiten", "Unterbrechen"),
        ),
        Facet(
            "Freigeben",
            "✅",
            "Wer „{subject}“ entscheidet.",
            ("Vier-Augen-Prüfung", "Wertgrenzen", "Ablehnen mit Grund", "Sammelfreigabe"),
        ),
        Facet(
            "Fristen",
            "⏰",
            "Damit „{subject}“ nicht liegen bleibt.",
            ("Wiedervorlage", "Erinnerung", "Eskalation", "Durchlaufzeit messen"),
        ),
        Facet(
            "Benachrichtigen",
            "📨",
            "Wer von „{subject}“ erfährt.",
            ("Empfänger bestimmen", "Nachricht im System", "Nachricht per E-Mail", "Textvorlage wählen"),
        ),
        Facet(
            "Protokoll",
            "🧾",
            "Was bei „{subject}“ geschehen ist.",
            ("Schritte mit Zeitpunkt", "Beteiligte", "Ergebnis", "Abgebrochene Läufe"),
        ),
    ),
    Kind.REPORT: (
        Facet(
            "Kennzahlen",
            "🔢",
            "Was „{subject}“ misst.",
            ("Aktueller Wert", "Vorjahresvergleich", "Planvergleich", "Gleitender Durchschnitt", "Zielkorridor"),
        ),
        Facet(
            "Auswahl",
            "🧰",
            "Wofür „{subject}“ gerechnet wird.",
            ("Zeitraum", "Abteilung", "Standort", "Kundengruppe", "Ausreißer ausblenden"),
        ),
        Facet(
            "Darstellung",
            "📊",
            "Wie „{subject}“ gezeigt wird.",
            ("Tabelle", "Verlauf", "Balken", "Aufriss bis zum Beleg", "Kachel für die Startseite"),
        ),
        Facet(
            "Verteilung",
            "📤",
            "Wer „{subject}“ bekommt.",
            ("Abonnieren", "Als PDF ausgeben", "Als Tabelle ausgeben", "Freigabe an Dritte"),
        ),
        Facet(
            "Abweichungen",
            "🚦",
            "Wann „{subject}“ auffällt.",
            ("Schwellenwerte", "Warnung auslösen", "Ursache vermerken", "Maßnahme anstoßen"),
        ),
    ),
    Kind.DATASET: (
        Facet(
            "Felder",
            "🔡",
            "Woraus „{subject}“ besteht.",
            ("Bezeichnungen", "Einheiten", "Pflichtangaben", "Erlaubte Werte"),
        ),
        Facet(
            "Herkunft",
            "🌐",
            "Woher „{subject}“ kommt.",
            ("Quellsystem", "Letzter Abgleich", "Erfassung von Hand", "Verantwortliche Person"),
        ),
        Facet(
            "Güte",
            "🧹",
            "Wie verlässlich „{subject}“ ist.",
            ("Vollständigkeit", "Widersprüche", "Veraltete Einträge", "Bereinigung"),
        ),
        Facet(
            "Aufbewahrung",
            "🗃️",
            "Wie lange „{subject}“ bleibt.",
            ("Aufbewahrungsfrist", "Löschlauf", "Auslagerung", "Sperrvermerk"),
        ),
        Facet(
            "Verwendung",
            "🔗",
            "Wer mit „{subject}“ arbeitet.",
            ("Auswertungen", "Schnittstellen", "Masken", "Berechnungen"),
        ),
    ),
}

DETAILS: dict[str, tuple[str, ...]] = {
    "Neu anlegen": ("Nummer vergeben", "Pflichtangaben prüfen", "Vorlage wählen"),
    "Ändern mit Begründung": ("Grund wählen", "Beleg anhängen"),
    "Dubletten vereinen": ("Treffer vergleichen", "Führenden Satz wählen", "Verweise umhängen"),
    "Anlagen": ("Datei hinzufügen", "Vorschau", "Fassung vergleichen"),
    "Datei einlesen": ("Format erkennen", "Zeichensatz wählen", "Kopfzeile zuordnen"),
    "Zeitleiste": ("Nach Person filtern", "Nach Feld filtern"),
    "Arbeitsvorrat": ("Meine Vorgänge", "Vorgänge der Gruppe", "Liegengebliebenes"),
    "Rückfrage stellen": ("Empfänger wählen", "Frist setzen"),
    "Vier-Augen-Prüfung": ("Zweite Person bestimmen", "Eigene Vorgänge ausschließen"),
    "Eskalation": ("Stufen festlegen", "Vorgesetzte verständigen"),
    "Ergebnis": ("Zusammenfassung", "Folgevorgang öffnen"),
    "Zeitraum": ("Monat", "Quartal", "Geschäftsjahr"),
    "Verlauf": ("Tageswerte", "Monatswerte", "Jahreswerte"),
    "Schwellenwerte": ("Warnschwelle", "Alarmschwelle"),
    "Abonnieren": ("Täglich", "Wöchentlich", "Monatlich"),
    "Letzter Abgleich": ("Zeitpunkt", "Abgewiesene Sätze"),
    "Widersprüche": ("Gegenprobe", "Klärung zuweisen"),
}

RULES: Json = {
    "version": 1,
    "locale": "de",
    "maxDepth": 6,
    "idPolicy": {"slug": {"asciiOnly": True, "maxLen": 64, "dedupe": True}, "idCase": "kebab"},
    "order": {"strategy": "position", "groupOverflowLimit": 12, "overflowGroupTitle": "Weitere"},
    "kinds": {"default": "group", "allowed": [str(kind) for kind in Kind]},
    "emojiKindMap": {icon: str(kind) for kind, icon in _ICON_OF_KIND.items()},
}
"""The rules document of the seeded catalogue; the tree obeys it."""

_FACETS_OF_A_SUBJECT = 4


class _Tree:
    """Gives out ids and positions; yields nothing itself."""

    def __init__(self, updated_at: datetime) -> None:
        self._updated_at = updated_at
        self._taken: set[str] = set()
        self._positions: dict[str | None, int] = {}

    def node(
        self,
        parent: FunctionNodeRow | None,
        title: str,
        icon: str,
        kind: Kind,
        min_role: Role = Role.CLERK,
        description: str = "",
    ) -> FunctionNodeRow:
        parent_id = None if parent is None else parent.id
        id_ = node_id(parent_id, title, self._taken)
        if id_ is None:
            raise ValueError(f"no room for an id of {title!r} below {parent_id!r}")
        self._taken.add(id_)
        position = self._positions.get(parent_id, 0)
        self._positions[parent_id] = position + 1
        return FunctionNodeRow(
            id=id_,
            parent_id=parent_id,
            area=id_ if parent is None else parent.area,
            title=title,
            description=description,
            icon=icon,
            kind=kind,
            min_role=min_role,
            position=position,
            depth=0 if parent is None else parent.depth + 1,
            source=None,
            source_key=None,
            updated_at=self._updated_at,
            version=1,
        )


def catalogue(areas: int, updated_at: datetime) -> Iterator[FunctionNodeRow | CatalogRulesRow]:
    """The first ``areas`` business areas with all below them, parents first, then the rules document."""
    rng = Random("catalogue")
    tree = _Tree(updated_at)
    area: FunctionNodeRow | None = None
    group: FunctionNodeRow | None = None
    for line in files(__package__).joinpath("areas.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        title, icon, role = _parts(line)
        match len(line) - len(line.lstrip()):
            case 0:
                if areas == 0:
                    break
                areas -= 1
                area = tree.node(None, title, icon, Kind.CATEGORY, role, f"Geschäftsbereich {title}.")
                yield area
            case 2:
                assert area is not None
                group = tree.node(area, title, icon, Kind.GROUP, role, f"{title} im Bereich {area.title}.")
                yield group
            case _:
                assert group is not None
                yield from _subject(tree, rng, group, title)
    yield CatalogRulesRow(1, RULES, updated_at)


def _parts(line: str) -> tuple[str, str, Role]:
    title, icon, role = (*(part.strip() for part in line.split("|")), "", "")[:3]
    return title, icon, Role(role) if role else Role.CLERK


def _subject(tree: _Tree, rng: Random, group: FunctionNodeRow, marked: str) -> Iterator[FunctionNodeRow]:
    mark, title = marked[0], marked[2:]
    kind = _KIND_OF_MARK[mark]
    subject = tree.node(group, title, _ICON_OF_KIND[kind], kind, description=f"{title}: {group.title}.")
    yield subject
    chosen = set(rng.sample(range(len(FACETS[kind])), _FACETS_OF_A_SUBJECT))
    for number, facet in enumerate(FACETS[kind]):
        if number not in chosen:
            continue
        side = tree.node(
            subject, facet.title, facet.icon, Kind.GROUP, description=facet.description.format(subject=title)
        )
        yield side
        for step_title in facet.steps:
            if rng.random() < 0.25:
                continue
            details = DETAILS.get(step_title, ()) if rng.random() < 0.9 else ()
            kind_of_step = Kind.GROUP if details else Kind.ITEM
            step = tree.node(side, step_title, "", kind_of_step, description=f"{step_title} ({title}).")
            yield step
            for detail in details:
                yield tree.node(step, detail, "", Kind.ITEM)
