"""What the company sells: drives, controls and the work around them."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """Prices in euros, quantities in units, each from and to; how often it is sold."""

    title: str
    unit: str
    low: float
    high: float
    least: int
    most: int
    weight: int
    vat_percent: int = 19


ARTICLES = (
    Article("Getriebemotor SGM 71, 0,37 kW", "Stk", 410, 520, 2, 24, 9),
    Article("Getriebemotor SGM 90, 1,5 kW", "Stk", 690, 880, 1, 16, 9),
    Article("Getriebemotor SGM 132, 7,5 kW", "Stk", 1_950, 2_420, 1, 6, 7),
    Article("Servoantrieb SDX 20 mit Geber", "Stk", 1_480, 1_790, 1, 8, 7),
    Article("Servoantrieb SDX 50 mit Geber", "Stk", 2_650, 3_180, 1, 5, 5),
    Article("Frequenzumrichter FU 4000, 4 kW", "Stk", 520, 640, 1, 12, 8),
    Article("Frequenzumrichter FU 4000, 22 kW", "Stk", 1_720, 2_050, 1, 4, 6),
    Article("Kegelstirnradgetriebe KG 5", "Stk", 1_150, 1_390, 1, 6, 6),
    Article("Planetengetriebe PG 80, spielarm", "Stk", 980, 1_240, 1, 6, 5),
    Article("Antriebssteuerung AS 300 mit Feldbus", "Stk", 2_180, 2_690, 1, 3, 6),
    Article("Schaltschrank nach Kundenplan", "Stk", 4_900, 11_800, 1, 2, 4),
    Article("Förderantrieb komplett, einbaufertig", "Stk", 3_900, 6_700, 1, 4, 5),
    Article("Hubwerksantrieb HW 12 t", "Stk", 9_800, 14_500, 1, 1, 2),
    Article("Federkraftbremse FB 60", "Stk", 185, 240, 2, 20, 6),
    Article("Drehgeber absolut, Profinet", "Stk", 330, 410, 1, 12, 6),
    Article("Motorkabel, konfektioniert", "m", 11, 19, 20, 240, 6),
    Article("Ersatzteilpaket Getriebe", "Satz", 240, 560, 1, 6, 7),
    Article("Lager und Dichtungen, Satz", "Satz", 90, 210, 1, 12, 7),
    Article("Wartung nach Plan", "h", 98, 112, 4, 32, 9),
    Article("Montage und Inbetriebnahme", "h", 108, 126, 6, 60, 8),
    Article("Konstruktion und Auslegung", "h", 118, 142, 8, 80, 5),
    Article("Programmierung der Steuerung", "h", 124, 148, 6, 60, 5),
    Article("Umbau einer Altanlage, pauschal", "Psch", 8_500, 26_000, 1, 1, 2),
    Article("Anfahrt und Rüstzeit", "Psch", 120, 380, 1, 1, 6),
    Article("Schulung Antriebstechnik, Tag", "Tag", 1_350, 1_650, 1, 3, 2),
    Article("Fracht und Verpackung", "Psch", 45, 320, 1, 1, 6),
    Article("Handbuch Antriebstechnik, gedruckt", "Stk", 38, 52, 1, 12, 3, vat_percent=7),
    Article("Ersatzteilkatalog, gedruckt", "Stk", 24, 36, 1, 10, 2, vat_percent=7),
)

PURCHASES = (
    "Elektroblech und Kupferlackdraht",
    "Gussgehäuse Baugröße 5",
    "Wälzlager",
    "Zahnradrohlinge",
    "Leistungshalbleiter",
    "Leiterplatten, bestückt",
    "Schaltschrankgehäuse",
    "Schrauben und Normteile",
    "Kabel und Leitungen",
    "Schmierstoffe",
    "Verpackungsmaterial",
    "Werkzeuge und Wendeschneidplatten",
)

PROJECTS = (
    "P-101 Walzwerk Siegen, Umbau Rollgang",
    "P-104 Containerkran Duisburg",
    "P-107 Brauerei Bamberg, Füllerei",
    "P-110 Paketzentrum Kassel",
    "P-113 Zementwerk Ulm, Drehofen",
    "P-118 Papiermaschine Augsburg",
    "P-121 Schleuse Datteln",
    "P-124 Molkerei Kempten",
    "P-127 Presswerk Zwickau",
    "P-130 Theater Erfurt, Bühnentechnik",
    "P-133 Seilbahn Bodensee",
    "P-136 Windpark Cuxhaven, Azimut",
    "P-139 Prüfstand Ingolstadt",
    "P-142 Hafenmühle Mannheim",
    "P-145 Flughafen Köln, Gepäck",
    "P-148 Stahlhandel Bremen, Hochregal",
    "P-151 Chemiepark Halle, Rührwerke",
    "P-154 Textilwerk Krefeld",
    "P-157 Wasserwerk Potsdam, Pumpen",
    "P-160 Sägewerk Passau",
)
"""Projects that hours are booked on."""
