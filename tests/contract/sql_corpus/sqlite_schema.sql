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
