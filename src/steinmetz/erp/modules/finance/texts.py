"""What customers read on paper: the words of invoices and credit notes."""

from __future__ import annotations

from steinmetz.erp.kit.language import Phrase

INVOICE = Phrase("Invoice", "Rechnung")
CREDIT_NOTE = Phrase("Credit note", "Rechnungskorrektur")
DRAFT = Phrase("DRAFT", "ENTWURF")
CANCELLED = Phrase("CANCELLED", "STORNIERT")
DRAFT_TITLE = Phrase("Invoice (draft)", "Rechnung (Entwurf)")
NO_NUMBER = Phrase("given when it is sent", "wird beim Versand vergeben")

NUMBER = Phrase("Invoice number", "Rechnungsnummer")
CREDIT_NUMBER = Phrase("Credit note number", "Belegnummer")
OF_INVOICE = Phrase("For invoice", "Zu Rechnung")
OF_INVOICE_DATED = Phrase("{number} of {day}", "{number} vom {day}")
ISSUE_DATE = Phrase("Date", "Datum")
DUE_DATE = Phrase("Payable by", "Zahlbar bis")
CUSTOMER_NUMBER = Phrase("Customer number", "Kundennummer")
CUSTOMER_VAT_ID = Phrase("Your VAT ID", "Ihre USt-IdNr.")
PERFORMED = Phrase("Date of supply", "Lieferdatum")
PERFORMED_AS_ISSUED = Phrase("as date of invoice", "wie Rechnungsdatum")

POSITION = Phrase("No.", "Pos.")
DESCRIPTION = Phrase("Description", "Beschreibung")
QUANTITY = Phrase("Quantity", "Menge")
UNIT_PRICE = Phrase("Unit price", "Einzelpreis")
RATE = Phrase("VAT", "USt.")
NET = Phrase("Net", "Netto")

SUM_NET = Phrase("Total net", "Summe netto")
SUM_VAT = Phrase("{rate} % VAT on {net}", "{rate} % USt. auf {net}")
SUM_FREE = Phrase("Free of VAT: {net}", "Steuerfrei: {net}")
SUM_GROSS = Phrase("Total amount", "Gesamtbetrag")
SUM_CREDIT = Phrase("Total credited", "Gutgeschriebener Betrag")
PLEASE_PAY = Phrase(
    "Please transfer {amount} by {day}, stating the invoice number {number}.",
    "Bitte überweisen Sie {amount} bis zum {day} unter Angabe der Rechnungsnummer {number}.",
)
NOT_VALID = Phrase("This is a draft and no invoice.", "Dies ist ein Entwurf und keine Rechnung.")
IS_CANCELLED = Phrase("This invoice was cancelled on {day}.", "Diese Rechnung wurde am {day} storniert.")
REASON = Phrase("Reason: {reason}", "Grund: {reason}")
CORRECTS = Phrase(
    "This credit note corrects invoice {number} of {day}. The amount is offset against what is open, or refunded.",
    "Diese Rechnungskorrektur berichtigt die Rechnung {number} vom {day}. "
    "Der Betrag wird mit offenen Forderungen verrechnet oder erstattet.",
)
FREE_AT_HOME = Phrase(
    "Items at 0 % are exempt from VAT (§ 4 UStG).",
    "Positionen mit 0 % sind von der Umsatzsteuer befreit (§ 4 UStG).",
)
FREE_WITHIN_EU = Phrase(
    "Items at 0 %: tax-free intra-Community supply (§ 4 No. 1b, § 6a UStG).",
    "Positionen mit 0 %: steuerfreie innergemeinschaftliche Lieferung (§ 4 Nr. 1b, § 6a UStG).",
)
FREE_ABROAD = Phrase(
    "Items at 0 %: tax-free export delivery (§ 4 No. 1a, § 6 UStG).",
    "Positionen mit 0 %: steuerfreie Ausfuhrlieferung (§ 4 Nr. 1a, § 6 UStG).",
)

VAT_ID = Phrase("VAT ID {value}", "USt-IdNr. {value}")
TAX_NUMBER = Phrase("Tax number {value}", "Steuernummer {value}")
PHONE = Phrase("Tel. {value}", "Tel. {value}")
PAGE = Phrase("Page {{page}} of {{pages}}", "Seite {{page}} von {{pages}}")
"""The braces are the printer's: it alone knows how many pages there are."""

COUNTRIES = {
    "AT": Phrase("Austria", "Österreich"),
    "BE": Phrase("Belgium", "Belgien"),
    "CH": Phrase("Switzerland", "Schweiz"),
    "CZ": Phrase("Czech Republic", "Tschechien"),
    "DE": Phrase("Germany", "Deutschland"),
    "DK": Phrase("Denmark", "Dänemark"),
    "ES": Phrase("Spain", "Spanien"),
    "FR": Phrase("France", "Frankreich"),
    "GB": Phrase("United Kingdom", "Vereinigtes Königreich"),
    "IT": Phrase("Italy", "Italien"),
    "LI": Phrase("Liechtenstein", "Liechtenstein"),
    "LU": Phrase("Luxembourg", "Luxemburg"),
    "NL": Phrase("Netherlands", "Niederlande"),
    "PL": Phrase("Poland", "Polen"),
    "RU": Phrase("Russia", "Russland"),
    "SE": Phrase("Sweden", "Schweden"),
    "UA": Phrase("Ukraine", "Ukraine"),
    "US": Phrase("United States", "USA"),
}
"""Where customers are; another country stands on the letter by its code."""
