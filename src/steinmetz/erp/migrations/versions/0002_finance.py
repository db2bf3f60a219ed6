"""Credit notes and refunds, our own company's data, reversals in the journal, and the chart of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _company()
    _invoices()
    _credit_notes()
    _books()
    for statement in STANDING:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup that was made before the upgrade")


def _company() -> None:
    op.create_table(
        "company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("postal_code", sa.String(length=12), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=False),
        sa.Column("tax_number", sa.String(length=20), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("bank", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("trade_register", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_company_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
    )


def _invoices() -> None:
    with op.batch_alter_table("invoices") as invoices:
        invoices.add_column(
            sa.Column("credited_cents", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
        invoices.add_column(
            sa.Column("refunded_cents", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
        invoices.add_column(sa.Column("parties", sa.JSON(), nullable=True))
        invoices.create_check_constraint(
            op.f("ck_invoices_credited"), "credited_cents >= 0 AND credited_cents <= gross_cents"
        )
        invoices.create_check_constraint(
            op.f("ck_invoices_refunded"), "refunded_cents >= 0 AND refunded_cents <= paid_cents"
        )
    # What was sent before keeps the customer's address of today: the best that is known, and it stays.
    build = "json_object" if op.get_bind().dialect.name == "sqlite" else "json_build_object"
    fields = ", ".join(f"'{name}', {name}" for name in CUSTOMER_ON_PAPER)
    op.execute(
        f"UPDATE invoices SET parties = (SELECT {build}('customer', {build}({fields})) FROM customers"
        " WHERE customers.id = invoices.customer_id) WHERE sent_at IS NOT NULL"
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=140), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method IN ('transfer', 'debit', 'card', 'cash')", name=op.f("ck_refunds_method")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_refunds_invoice_id_invoices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
    )
    op.create_index(op.f("ix_refunds_invoice_id"), "refunds", ["invoice_id"])
    op.create_index(op.f("ix_refunds_paid_on"), "refunds", ["paid_on"])


def _credit_notes() -> None:
    op.create_table(
        "credit_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=True),
        sa.CheckConstraint("gross_cents = net_cents + vat_cents", name=op.f("ck_credit_notes_sums")),
        sa.CheckConstraint("gross_cents > 0", name=op.f("ck_credit_notes_amount")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_credit_notes_invoice_id_invoices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_notes_number")),
    )
    op.create_index(op.f("ix_credit_notes_invoice_id"), "credit_notes", ["invoice_id"])
    op.create_index(op.f("ix_credit_notes_issue_date"), "credit_notes", ["issue_date"])
    op.create_table(
        "credit_note_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credit_note_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=10), nullable=False),
        sa.Column("unit_price_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_percent", sa.Integer(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_note_id"],
            ["credit_notes.id"],
            name=op.f("fk_credit_note_items_credit_note_id_credit_notes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note_items")),
    )
    op.create_index(op.f("ix_credit_note_items_credit_note_id"), "credit_note_items", ["credit_note_id"])


def _books() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
        accounts.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")))
    with op.batch_alter_table("journal_entries") as entries:
        entries.add_column(sa.Column("reverses_id", sa.Integer(), nullable=True))
        entries.create_foreign_key(
            op.f("fk_journal_entries_reverses_id_journal_entries"), "journal_entries", ["reverses_id"], ["id"]
        )
        entries.create_unique_constraint(op.f("uq_journal_entries_reverses_id"), ["reverses_id"])


CUSTOMER_ON_PAPER = ("number", "name", "contact", "street", "postal_code", "city", "country", "vat_id")

ACCOUNTS = (
    ("0027", "EDV-Software", "asset"),
    ("0085", "Grundstückswerte eigener bebauter Grundstücke", "asset"),
    ("0210", "Maschinen", "asset"),
    ("0320", "Pkw", "asset"),
    ("0400", "Betriebsausstattung", "asset"),
    ("0420", "Büroeinrichtung", "asset"),
    ("0480", "Geringwertige Wirtschaftsgüter", "asset"),
    ("0650", "Verbindlichkeiten gegenüber Kreditinstituten", "liability"),
    ("0800", "Gezeichnetes Kapital", "equity"),
    ("0840", "Kapitalrücklage", "equity"),
    ("0860", "Gewinnvortrag vor Verwendung", "equity"),
    ("0955", "Steuerrückstellungen", "liability"),
    ("0970", "Sonstige Rückstellungen", "liability"),
    ("0980", "Aktive Rechnungsabgrenzung", "asset"),
    ("1000", "Kasse", "asset"),
    ("1200", "Bank", "asset"),
    ("1360", "Geldtransit", "asset"),
    ("1400", "Forderungen aus Lieferungen und Leistungen", "asset"),
    ("1500", "Sonstige Vermögensgegenstände", "asset"),
    ("1571", "Abziehbare Vorsteuer 7 %", "asset"),
    ("1576", "Abziehbare Vorsteuer 19 %", "asset"),
    ("1600", "Verbindlichkeiten aus Lieferungen und Leistungen", "liability"),
    ("1700", "Sonstige Verbindlichkeiten", "liability"),
    ("1740", "Verbindlichkeiten aus Lohn und Gehalt", "liability"),
    ("1741", "Verbindlichkeiten aus Lohn- und Kirchensteuer", "liability"),
    ("1742", "Verbindlichkeiten im Rahmen der sozialen Sicherheit", "liability"),
    ("1771", "Umsatzsteuer 7 %", "liability"),
    ("1776", "Umsatzsteuer 19 %", "liability"),
    ("1780", "Umsatzsteuer-Vorauszahlungen", "liability"),
    ("2120", "Zinsaufwendungen für langfristige Verbindlichkeiten", "expense"),
    ("2650", "Sonstige Zinsen und ähnliche Erträge", "income"),
    ("2700", "Sonstige Erträge", "income"),
    ("3300", "Wareneingang 7 % Vorsteuer", "expense"),
    ("3400", "Wareneingang 19 % Vorsteuer", "expense"),
    ("3980", "Bestand Waren", "asset"),
    ("4110", "Löhne", "expense"),
    ("4120", "Gehälter", "expense"),
    ("4130", "Gesetzliche soziale Aufwendungen", "expense"),
    ("4210", "Miete für unbewegliche Wirtschaftsgüter", "expense"),
    ("4240", "Gas, Strom, Wasser", "expense"),
    ("4250", "Reinigung", "expense"),
    ("4320", "Gewerbesteuer", "expense"),
    ("4360", "Versicherungen", "expense"),
    ("4380", "Beiträge", "expense"),
    ("4530", "Laufende Kfz-Betriebskosten", "expense"),
    ("4570", "Mietleasing Kraftfahrzeuge", "expense"),
    ("4600", "Werbekosten", "expense"),
    ("4650", "Bewirtungskosten", "expense"),
    ("4660", "Reisekosten Arbeitnehmer", "expense"),
    ("4730", "Ausgangsfrachten", "expense"),
    ("4805", "Reparaturen und Instandhaltung von Maschinen", "expense"),
    ("4830", "Abschreibungen auf Sachanlagen", "expense"),
    ("4900", "Sonstige betriebliche Aufwendungen", "expense"),
    ("4910", "Porto", "expense"),
    ("4920", "Telefon", "expense"),
    ("4930", "Bürobedarf", "expense"),
    ("4950", "Rechts- und Beratungskosten", "expense"),
    ("4957", "Abschluss- und Prüfungskosten", "expense"),
    ("4970", "Nebenkosten des Geldverkehrs", "expense"),
    ("8120", "Steuerfreie Umsätze § 4 Nr. 1a UStG", "income"),
    ("8300", "Erlöse 7 % USt", "income"),
    ("8400", "Erlöse 19 % USt", "income"),
)
"""The chart of SKR03 as it was given to every company by this step."""

STANDING = (
    *(
        f"INSERT INTO accounts (number, name, kind) VALUES ('{number}', '{name}', '{kind}') ON CONFLICT DO NOTHING"
        for number, name, kind in ACCOUNTS
    ),
    """
    INSERT INTO company
        (id, name, street, postal_code, city, country, vat_id, tax_number, iban, bic, bank, email, phone,
         trade_register, version)
    VALUES (1, 'Unser Unternehmen', '', '', '', 'DE', '', '', '', '', '', '', '', '', 1)
    ON CONFLICT DO NOTHING
    """,
)
"""What every company has before anybody has written anything; an account that is there already stays as it is."""
