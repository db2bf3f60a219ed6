"""What people, places and firms are called: raw material, no rule."""

from __future__ import annotations

from typing import NamedTuple

FIRST_NAMES = tuple(
    """Andrea Anja Anna Annika Antje Barbara Bianca Birgit Britta Carla Christina Claudia Cornelia Daniela Doris Elena
    Elif Elke Emilia Eva Franziska Frieda Gabriele Greta Hanna Heike Helga Ines Irina Jana Jasmin Johanna Julia Karin
    Katharina Katrin Kerstin Klara Lara Laura Lea Lena Leonie Lina Luisa Maria Marie Marlene Martina Melanie Mia Monika
    Nadine Nele Nicole Nina Olga Petra Pia Regina Renate Sabine Sandra Sara Silke Simone Sofia Sonja Stefanie Susanne
    Svenja Tanja Theresa Ulrike Ursula Ute Vera Yasemin Zeynep
    Achim Ahmet Alexander Andreas Anton Bastian Benjamin Bernd Björn Can Carsten Christian Christoph Daniel David Dennis
    Dieter Dirk Elias Emil Emre Erik Fabian Felix Finn Florian Frank Georg Gerd Günter Hannes Hans Harald Heinz Henrik
    Holger Ingo Jan Jens Joachim Johannes Jonas Jörg Julian Jürgen Kai Karl Klaus Konstantin Lars Leon Lukas Manfred
    Marco Marcel Mario Markus Martin Matthias Max Mehmet Michael Moritz Murat Niklas Nils Norbert Oliver Oskar Patrick
    Paul Peter Philipp Ralf Rainer Robert Roland Sebastian Simon Stefan Sven Thomas Tim Tobias Tomasz Torsten Uwe
    Volker Werner Wolfgang""".split()
)

LAST_NAMES = tuple(
    """Adler Albrecht Arnold Bach Bauer Baumann Beck Becker Berger Bergmann Böhm Brandt Braun Brinkmann Busch Christ
    Demir Dietrich Döring Ebert Eder Engel Ernst Fiedler Fischer Förster Franke Frey Friedrich Fuchs Geiger Gerlach
    Graf Groß Günther Haas Hahn Hansen Hartmann Heinrich Heller Herrmann Hoffmann Hofmann Horn Huber Jäger Jansen Jung
    Kaiser Kaya Keller Kern Kirchner Klein Koch Köhler König Krämer Kraus Krüger Kühn Kurz Lang Lange Lehmann Lindner
    Lorenz Ludwig Maier Martens Mayer Meier Meyer Möller Moser Müller Neumann Nowak Otto Peters Petersen Pfeiffer Pohl
    Reuter Richter Riedel Ritter Roth Sander Sauer Schäfer Scherer Schiller Schlüter Schmid Schmidt Schmitt Schneider
    Scholz Schreiber Schröder Schubert Schulte Schulz Schumacher Schuster Schwarz Seidel Simon Sommer Stein Steiner
    Stern Thiel Thomas Ullrich Vogel Vogt Voigt Wagner Walter Weber Weiß Wendt Werner Wiegand Winkler Winter Witt Wolf
    Wolff Yildiz Zeller Ziegler Zimmermann""".split()
)


class City(NamedTuple):
    """A city with the first and the last of its postal codes, as numbers."""

    name: str
    first_code: int
    last_code: int


def _cities(text: str) -> tuple[City, ...]:
    cities = []
    for line in text.split(";"):
        name, codes = line.strip().rsplit(" ", 1)
        first, last = codes.split("-")
        cities.append(City(name, int(first), int(last)))
    return tuple(cities)


GERMAN_CITIES = _cities(
    """Berlin 10115-14199; Hamburg 20095-22769; München 80331-81929; Köln 50667-51149; Frankfurt am Main 60306-60599;
    Stuttgart 70173-70629; Düsseldorf 40210-40629; Leipzig 04103-04357; Dortmund 44135-44388; Essen 45127-45359;
    Bremen 28195-28779; Dresden 01067-01328; Hannover 30159-30669; Nürnberg 90402-90491; Duisburg 47051-47279;
    Bochum 44787-44894; Wuppertal 42103-42399; Bielefeld 33602-33739; Bonn 53111-53229; Münster 48143-48167;
    Karlsruhe 76131-76229; Mannheim 68159-68309; Augsburg 86150-86199; Wiesbaden 65183-65207;
    Gelsenkirchen 45879-45899; Mönchengladbach 41061-41239; Braunschweig 38100-38126; Chemnitz 09111-09131;
    Kiel 24103-24159; Aachen 52062-52080; Halle (Saale) 06108-06132; Magdeburg 39104-39130;
    Freiburg im Breisgau 79098-79117; Krefeld 47798-47839; Lübeck 23552-23570; Oberhausen 46045-46149;
    Erfurt 99084-99099; Mainz 55116-55131; Rostock 18055-18147; Kassel 34117-34134; Hagen 58089-58135;
    Saarbrücken 66111-66133; Hamm 59063-59077; Potsdam 14467-14482; Ludwigshafen am Rhein 67059-67071;
    Oldenburg 26121-26135; Osnabrück 49074-49090; Leverkusen 51371-51381; Heidelberg 69115-69126;
    Solingen 42651-42719; Darmstadt 64283-64297; Regensburg 93047-93059; Ingolstadt 85049-85057;
    Würzburg 97070-97084; Wolfsburg 38440-38448; Fürth 90762-90768; Ulm 89073-89081; Heilbronn 74072-74081;
    Pforzheim 75172-75181; Göttingen 37073-37085; Reutlingen 72760-72770; Koblenz 56068-56077;
    Bremerhaven 27568-27580; Jena 07743-07751; Trier 54290-54296; Erlangen 91052-91058; Siegen 57072-57080;
    Hildesheim 31134-31141; Cottbus 03042-03055; Gera 07545-07557; Zwickau 08056-08066; Schwerin 19053-19063;
    Flensburg 24937-24944; Konstanz 78462-78467; Bayreuth 95444-95448; Bamberg 96047-96052; Passau 94032-94036;
    Kempten (Allgäu) 87435-87439"""
)

SWISS_CITIES = _cities(
    "Zürich 8001-8064; Basel 4001-4059; Bern 3001-3027; St. Gallen 9000-9016; Winterthur 8400-8411; Luzern 6003-6015"
)

STREETS = tuple(
    """Industriestraße;Hauptstraße;Bahnhofstraße;Gewerbepark;Am Hafen;Werkstraße;Siemensstraße;Robert-Bosch-Straße;
    Dieselstraße;Daimlerstraße;Schillerstraße;Goethestraße;Gartenweg;Lindenallee;Mühlweg;Ringstraße;Talstraße;
    Bergstraße;Kirchgasse;Marktplatz;Hansastraße;Zeppelinstraße;Ottostraße;Max-Planck-Straße;Benzstraße;
    Steinmetzstraße;Am Alten Werk;Hüttenstraße;Kanalstraße;Feldstraße""".replace("\n", "").split(";")
)
STREETS = tuple(street.strip() for street in STREETS)

FICTION_NUMBERS = {
    "0": "+49 30 23125",
    "1": "+49 30 23125",
    "2": "+49 40 66969",
    "3": "+49 40 66969",
    "4": "+49 221 4710",
    "5": "+49 221 4710",
    "6": "+49 69 90009",
    "7": "+49 69 90009",
    "8": "+49 89 99998",
    "9": "+49 89 99998",
}
"""The blocks the Bundesnetzagentur keeps free for fiction (three more digits), by the region of a postal code:
nobody's telephone rings because of this data."""

TRADES = tuple(
    """Maschinenbau;Anlagenbau;Metallbau;Werkzeugbau;Fördertechnik;Antriebstechnik;Elektrotechnik;Automation;
    Verpackungstechnik;Kunststofftechnik;Oberflächentechnik;Medizintechnik;Messtechnik;Hydraulik;Pumpen;Armaturen;
    Druckguss;Stahlhandel;Holzwerke;Papierfabrik;Molkerei;Brauerei;Mühlenwerke;Backwaren;Getränke;Textilwerke;Keramik;
    Glashütte;Baustoffe;Tiefbau;Logistik;Spedition;Kältetechnik;Klimatechnik;Umwelttechnik;Recycling;Wasserwerke;
    Solartechnik;Windkraft;Fahrzeugbau;Bahntechnik;Schiffsausrüstung;Landtechnik;Laborbedarf;Feinmechanik;Optik;
    Präzisionsteile;Drahtwerke;Federn;Zerspanung""".replace("\n", "").replace("    ", "").split(";")
)

FANTASY_NAMES = tuple(
    """Nordlicht Rheintal Alpenblick Hansa Ostsee Elbtal Schwarzwald Harzer Eifel Spree Neckar Donau Weser Mosel Saar
    Bavaria Westfalia Thuringia Saxonia Borussia Aurora Meridian Quantum Novum Vektor Primus Kompass Delta Orion
    Polaris""".split()
)

LEGAL_FORMS = (
    ("GmbH", 46),
    ("GmbH & Co. KG", 26),
    ("AG", 8),
    ("KG", 7),
    ("e. K.", 5),
    ("OHG", 3),
    ("SE", 2),
    ("eG", 3),
)
"""Legal forms and how common they are among 100 customers."""
