-- A small company, with everything in it by which one statement touches more than it names.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE invoices (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER REFERENCES customers(id) ON DELETE CASCADE ON UPDATE CASCADE,
    number TEXT UNIQUE, status TEXT, total INTEGER DEFAULT 0
);
CREATE TABLE items (
    id INTEGER PRIMARY KEY, invoice_id INTEGER REFERENCES invoices(id) ON DELETE CASCADE, price INTEGER
);
CREATE TABLE payments (id INTEGER PRIMARY KEY, invoice_id INTEGER REFERENCES invoices(id) ON DELETE SET NULL, cents INTEGER);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, parent_id INTEGER, name TEXT, balance INTEGER DEFAULT 0);
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
CREATE TABLE stats (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE TABLE "Order" ("from" INTEGER PRIMARY KEY, "select" TEXT);
CREATE VIEW open_invoices AS SELECT i.id, i.total, c.name FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.status = 'open';
CREATE VIEW open_totals AS SELECT name, sum(total) AS total FROM open_invoices GROUP BY name;
CREATE TRIGGER paid AFTER INSERT ON payments BEGIN
    UPDATE accounts SET balance = balance + new.cents WHERE id = 1;
    INSERT INTO audit (what) VALUES ('payment ' || new.id);
END;
CREATE TRIGGER counted AFTER UPDATE OF balance ON accounts BEGIN
    INSERT INTO stats VALUES ('balances', 1) ON CONFLICT (key) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER close_invoice INSTEAD OF DELETE ON open_invoices BEGIN
    UPDATE invoices SET status = 'closed' WHERE id = old.id;
END;
CREATE VIRTUAL TABLE pages USING fts5(title, body);
CREATE VIRTUAL TABLE note_search USING fts5(title, body, content='notes', content_rowid='id');
CREATE TRIGGER note_indexed AFTER INSERT ON notes BEGIN
    INSERT INTO note_search (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
-- Self-reference, SET DEFAULT, RESTRICT, generated columns, STRICT, expression and partial indexes, views three deep.
CREATE TABLE regions (
    id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES regions(id) ON DELETE CASCADE, name TEXT COLLATE NOCASE
);
CREATE TABLE stores (
    id INTEGER PRIMARY KEY, name TEXT,
    region_id INTEGER DEFAULT 1 REFERENCES regions(id) ON DELETE SET DEFAULT ON UPDATE SET NULL
);
CREATE TABLE stock (
    store_id INTEGER REFERENCES stores(id) ON DELETE RESTRICT, sku TEXT, quantity INTEGER CHECK (quantity >= 0),
    value INTEGER GENERATED ALWAYS AS (quantity * 2) VIRTUAL, PRIMARY KEY (store_id, sku)
) WITHOUT ROWID;
CREATE TABLE moves (id INTEGER PRIMARY KEY, sku TEXT, delta INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP) STRICT;
CREATE TABLE log (n INTEGER, what TEXT);
CREATE UNIQUE INDEX stores_by_name ON stores (lower(name)) WHERE region_id IS NOT NULL;
CREATE INDEX moves_by_sku ON moves (sku, delta DESC);
CREATE VIEW big_stores AS SELECT s.id, s.name, sum(k.quantity) AS pieces FROM stores s JOIN stock k ON k.store_id = s.id GROUP BY s.id HAVING pieces > 10;
CREATE VIEW big_regions AS SELECT r.name, count(*) AS n FROM regions r JOIN stores s ON s.region_id = r.id WHERE s.id IN (SELECT id FROM big_stores) GROUP BY r.id;
CREATE VIEW report AS SELECT name FROM big_regions UNION SELECT name FROM open_totals;
CREATE VIEW new_stock AS SELECT store_id, sku, quantity FROM stock;
CREATE TRIGGER new_stock_in INSTEAD OF INSERT ON new_stock BEGIN
    INSERT INTO stock (store_id, sku, quantity) VALUES (new.store_id, new.sku, new.quantity)
        ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity;
    INSERT INTO moves (sku, delta) VALUES (new.sku, new.quantity);
END;
CREATE TRIGGER new_stock_change INSTEAD OF UPDATE OF quantity ON new_stock BEGIN
    UPDATE stock SET quantity = new.quantity WHERE store_id = old.store_id AND sku = old.sku;
END;
CREATE TRIGGER stock_low AFTER UPDATE OF quantity ON stock WHEN new.quantity < 5 BEGIN
    INSERT INTO log SELECT count(*), name FROM stores WHERE id = new.store_id;
END;
CREATE TRIGGER moves_kept BEFORE DELETE ON moves BEGIN
    SELECT RAISE(ABORT, 'moves are kept') WHERE (SELECT count(*) FROM stats WHERE key = 'locked') > 0;
END;
CREATE TRIGGER region_gone AFTER DELETE ON regions BEGIN
    DELETE FROM log WHERE what = old.name;
END;
CREATE VIRTUAL TABLE places USING rtree(id, x1, x2, y1, y2);
CREATE VIRTUAL TABLE letters USING fts4(subject, body);
INSERT INTO regions VALUES (1, NULL, 'Nord'), (2, NULL, 'Ost'), (3, NULL, 'West');
INSERT INTO stores (id, name) VALUES (1, 'Ulm');
UPDATE stores SET region_id = NULL;
