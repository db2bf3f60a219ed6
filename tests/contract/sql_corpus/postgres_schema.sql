-- A small company, with everything in it by which one statement touches more than it names.
CREATE SCHEMA hr;
CREATE TABLE customers (id serial PRIMARY KEY, name text, city text, invoices int);
CREATE TABLE invoices (
    id serial PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE,
    number text UNIQUE, status text, total int DEFAULT 0
);
CREATE TABLE items (id serial PRIMARY KEY, invoice_id int REFERENCES invoices ON DELETE CASCADE, price int);
CREATE TABLE payments (id serial PRIMARY KEY, invoice_id int REFERENCES invoices ON DELETE SET NULL, cents int);
CREATE TABLE accounts (id serial PRIMARY KEY, parent_id int, name text, balance int DEFAULT 0);
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE TABLE stats (key text PRIMARY KEY, n int);
CREATE TABLE archive (id int, total int);
CREATE TABLE hr.employees (id serial PRIMARY KEY, name text, secret boolean, manager_id int);
CREATE TABLE hr.grants (employee_id int, role text);
CREATE TABLE "Order" ("from" int PRIMARY KEY, "select" text);
CREATE TABLE pages (id serial PRIMARY KEY, title text, words tsvector);
CREATE TABLE entries (day date NOT NULL, hours int) PARTITION BY RANGE (day);
CREATE TABLE entries_2025 PARTITION OF entries FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE entries_2026 PARTITION OF entries FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE vehicles (id int, plate text);
CREATE TABLE trucks (tons int) INHERITS (vehicles);
CREATE TABLE numbers (n int);
CREATE TABLE documents (id serial PRIMARY KEY, number int);
CREATE TABLE ruled (id int);

CREATE VIEW open_invoices AS SELECT i.id, i.total, c.name FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.status = 'open';
CREATE VIEW open_totals AS SELECT name, sum(total) AS total FROM open_invoices GROUP BY name;
CREATE VIEW plain_customers AS SELECT id, name FROM customers;
CREATE MATERIALIZED VIEW sales AS SELECT customer_id, sum(total) AS total FROM invoices GROUP BY customer_id;

CREATE FUNCTION on_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET balance = balance + NEW.cents WHERE id = 1;
    INSERT INTO audit (what) VALUES ('payment ' || NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER paid AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION on_payment();
CREATE FUNCTION count_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n int;
BEGIN
    SELECT count(*) INTO n FROM accounts;
    INSERT INTO stats VALUES ('balances', n) ON CONFLICT (key) DO UPDATE SET n = excluded.n;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER counted AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_balances();
CREATE FUNCTION close_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE invoices SET status = 'closed' WHERE id = OLD.id; RETURN OLD; END $$;
CREATE TRIGGER close_instead INSTEAD OF DELETE ON open_invoices FOR EACH ROW EXECUTE FUNCTION close_invoice();
CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NULL; END $$;
CREATE TRIGGER anything AFTER INSERT ON archive FOR EACH STATEMENT EXECUTE FUNCTION dynamic('stats');
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO audit (what) VALUES ('ruled');
CREATE FUNCTION next_number() RETURNS int LANGUAGE sql AS $$ UPDATE numbers SET n = n + 1 RETURNING n $$;
ALTER TABLE documents ALTER COLUMN number SET DEFAULT next_number();
CREATE FUNCTION customer_total(customer int) RETURNS bigint STABLE LANGUAGE sql AS $$ SELECT sum(total) FROM invoices WHERE customer_id = customer $$;
CREATE FUNCTION atomic_total(customer int) RETURNS bigint STABLE LANGUAGE sql BEGIN ATOMIC SELECT sum(price) FROM items WHERE id = customer; END;
CREATE FUNCTION label(customers) RETURNS text STABLE LANGUAGE sql AS $$ SELECT $1.name || (SELECT count(*) FROM payments) $$;
CREATE FUNCTION pay(invoice int, amount int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO payments (invoice_id, cents) VALUES (invoice, amount); END $$;
CREATE FUNCTION add_one(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT $1 + 1 $$;
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM stats; COMMIT; END $$;
ALTER TABLE hr.employees ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON hr.employees USING (NOT secret OR EXISTS (SELECT FROM hr.grants g WHERE g.employee_id = manager_id));
