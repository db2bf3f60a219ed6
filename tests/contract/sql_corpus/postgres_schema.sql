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

-- More of what statements reach without naming it.
CREATE SCHEMA "Größen";
CREATE TABLE "Größen"."Maß-Tabelle" (id int PRIMARY KEY, "Länge ""außen""" int);
CREATE TABLE "таблица" (id int PRIMARY KEY, "имя" text);
CREATE TABLE "a.b" (id int);
CREATE TABLE hr.customers (id int PRIMARY KEY, name text);
CREATE TABLE tenants (id int PRIMARY KEY, name text);
CREATE TABLE warehouses (id int PRIMARY KEY DEFAULT 0, tenant_id int REFERENCES tenants ON DELETE SET DEFAULT ON UPDATE SET NULL, name text);
CREATE TABLE shelves (id int PRIMARY KEY, warehouse_id int REFERENCES warehouses ON DELETE RESTRICT, label text);
CREATE TABLE bins (id int PRIMARY KEY, shelf_id int REFERENCES shelves ON DELETE CASCADE);
CREATE TABLE stock (id int PRIMARY KEY, bin_id int REFERENCES bins ON DELETE CASCADE, amount int);
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes ON DELETE CASCADE, label text);
CREATE TABLE currencies (code text PRIMARY KEY, rate numeric);
CREATE TABLE prices (id int PRIMARY KEY, currency text, amount numeric, doubled numeric GENERATED ALWAYS AS (amount * 2) STORED);
CREATE TABLE limits (name text PRIMARY KEY, most int);
CREATE TABLE orders (id int PRIMARY KEY, amount int, note text, seen_at timestamptz);
CREATE TABLE order_log (id serial PRIMARY KEY, order_id int, what text);
CREATE TABLE order_totals (day date PRIMARY KEY, amount bigint);
CREATE TABLE old_orders (id int, amount int);
CREATE TABLE readonly_orders (id int, amount int);
CREATE TABLE events (id int, kind text, day date) PARTITION BY LIST (kind);
CREATE TABLE events_login PARTITION OF events FOR VALUES IN ('login') PARTITION BY RANGE (day);
CREATE TABLE events_login_2026 PARTITION OF events_login FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_login_rest PARTITION OF events_login DEFAULT;
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE TABLE event_moves (id serial PRIMARY KEY, what text);
CREATE TABLE machines (id int PRIMARY KEY, name text);
CREATE TABLE presses (force int) INHERITS (machines);
CREATE TABLE big_presses (hall int) INHERITS (presses);
CREATE TABLE secrets (id int PRIMARY KEY, owner text, body text);
CREATE TABLE owners (name text PRIMARY KEY, active boolean);
CREATE TABLE calls (id serial PRIMARY KEY, name text);
CREATE TABLE queue (id serial PRIMARY KEY, done boolean DEFAULT false);
CREATE TABLE vectors (id int PRIMARY KEY, tags text[], body jsonb);
CREATE SEQUENCE tickets;
CREATE SEQUENCE barcodes;
CREATE TABLE labelled (id int PRIMARY KEY DEFAULT nextval('barcodes'), name text);
CREATE TABLE identities (id int GENERATED BY DEFAULT AS IDENTITY, name text);

CREATE FUNCTION rate_of(text) RETURNS numeric STABLE LANGUAGE sql AS $$ SELECT rate FROM public.currencies WHERE code = $1 $$;
CREATE FUNCTION most_of(text) RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE found_most int; BEGIN SELECT most INTO found_most FROM public.limits WHERE name = $1; RETURN found_most; END $$;
CREATE FUNCTION below_limit(int) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT $1 <= coalesce(public.most_of('order'), 1000000) $$;
ALTER TABLE orders ADD CONSTRAINT sane CHECK (below_limit(amount));
CREATE FUNCTION next_ticket(kind text DEFAULT 'x', counted int DEFAULT next_number()) RETURNS int LANGUAGE sql AS $$ SELECT $2 $$;
CREATE FUNCTION customer_names() RETURNS SETOF text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT c.name FROM customers c; END $$;
CREATE FUNCTION atomic_sale(int) RETURNS int LANGUAGE sql BEGIN ATOMIC UPDATE stats SET n = n + $1 WHERE key = 'sales' RETURNING n; END;
CREATE FUNCTION atomic_both(int) RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO audit (what) SELECT label FROM nodes WHERE id = $1; DELETE FROM queue WHERE id = $1; END;
CREATE FUNCTION run_text(query text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE query; END $$;
CREATE FUNCTION nested() RETURNS bigint STABLE LANGUAGE sql AS $$ SELECT customer_total(1) + (SELECT count(*) FROM nodes) $$;
CREATE FUNCTION log_call(text) RETURNS int LANGUAGE sql AS $$ INSERT INTO public.calls (name) VALUES ($1) RETURNING id $$;
CREATE FUNCTION is_owner(text) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM public.owners o WHERE o.name = $1 AND o.active) $$;
CREATE FUNCTION doubled_name(customers) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT $1.name || $1.name $$;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (is_owner(owner)) WITH CHECK (EXISTS (SELECT FROM tenants t WHERE t.name = owner));

CREATE FUNCTION sum_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_totals SELECT current_date, sum(amount) FROM fresh ON CONFLICT (day) DO UPDATE SET amount = order_totals.amount + excluded.amount;
    RETURN NULL;
END $$;
CREATE TRIGGER summed AFTER INSERT ON orders REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sum_orders();
CREATE FUNCTION log_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO order_log (order_id, what) VALUES (NEW.id, 'note'); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER UPDATE OF note ON orders FOR EACH ROW EXECUTE FUNCTION log_note();
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen_at := now(); RETURN NEW; END $$;
CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION keep_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO old_orders VALUES (OLD.id, OLD.amount); RETURN OLD; END $$;
CREATE TRIGGER kept BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep_old();
CREATE FUNCTION emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM order_log; RETURN NULL; END $$;
CREATE TRIGGER emptied AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION emptied();
CREATE FUNCTION move_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO event_moves (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER arrived AFTER INSERT ON events_other FOR EACH ROW EXECUTE FUNCTION move_noted();
CREATE FUNCTION disabled_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM nodes; RETURN NULL; END $$;
CREATE TRIGGER off AFTER INSERT ON queue FOR EACH ROW EXECUTE FUNCTION disabled_one();
ALTER TABLE queue DISABLE TRIGGER off;

CREATE VIEW order_desk AS SELECT o.id, o.amount FROM orders o WHERE o.amount > 0;
CREATE FUNCTION desk_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO old_orders VALUES (NEW.id, NEW.amount); RETURN NEW; END $$;
CREATE TRIGGER desk_insert INSTEAD OF INSERT OR UPDATE ON order_desk FOR EACH ROW EXECUTE FUNCTION desk_insert();
CREATE VIEW big_orders AS SELECT id, amount FROM order_desk WHERE amount > 100;
CREATE VIEW checked_prices WITH (security_barrier) AS SELECT id, amount, rate_of(currency) AS rate FROM prices WHERE amount > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW priced AS SELECT p.id, p.rate, l.most FROM checked_prices p CROSS JOIN LATERAL (SELECT most_of('price') AS most) l;
CREATE MATERIALIZED VIEW priced_now AS SELECT id, rate FROM priced;
CREATE VIEW union_people AS SELECT id, name FROM customers UNION ALL SELECT id, name FROM hr.employees;
CREATE VIEW machine_names AS SELECT name FROM machines;
CREATE RECURSIVE VIEW chain (id, parent_id) AS SELECT id, parent_id FROM nodes WHERE parent_id IS NULL UNION ALL SELECT n.id, n.parent_id FROM nodes n JOIN chain c ON n.parent_id = c.id;
CREATE RULE no_insert AS ON INSERT TO readonly_orders DO INSTEAD NOTHING;
CREATE RULE redirected AS ON UPDATE TO readonly_orders DO INSTEAD UPDATE old_orders SET amount = NEW.amount WHERE id = OLD.id;
CREATE RULE gone AS ON DELETE TO readonly_orders WHERE OLD.amount > 10 DO ALSO INSERT INTO order_log (order_id, what) SELECT OLD.id, t.name FROM tenants t;
CREATE VIEW ruled_view AS SELECT id FROM ruled;
CREATE RULE ruled_view_insert AS ON INSERT TO ruled_view DO INSTEAD (INSERT INTO ruled VALUES (NEW.id); DELETE FROM queue WHERE id = NEW.id);
CREATE PROCEDURE book(amount int) LANGUAGE sql BEGIN ATOMIC INSERT INTO stats VALUES ('book', amount) ON CONFLICT (key) DO NOTHING; END;

INSERT INTO customers (name, city) VALUES ('Alpha', 'Ulm'), ('Beta', 'Bonn');
INSERT INTO invoices (customer_id, number, status, total) VALUES (1, 'R1', 'open', 5), (2, 'R2', 'open', 7);
INSERT INTO items (invoice_id, price) VALUES (1, 3), (1, -1), (2, 4);
INSERT INTO accounts (name) VALUES ('cash');
INSERT INTO payments (invoice_id, cents) VALUES (1, 10);
INSERT INTO stats VALUES ('sales', 1), ('Alpha', 1) ON CONFLICT DO NOTHING;
INSERT INTO numbers VALUES (1);
INSERT INTO vehicles VALUES (1, 'a');
INSERT INTO trucks VALUES (2, 'b', 7);
INSERT INTO machines VALUES (1, 'm');
INSERT INTO big_presses VALUES (2, 'p', 3, 4);
INSERT INTO tenants VALUES (1, 'one'), (2, 'two');
INSERT INTO warehouses VALUES (1, 1, 'w'), (2, 2, 'v');
INSERT INTO shelves VALUES (1, 1, 's');
INSERT INTO bins VALUES (1, 1);
INSERT INTO stock VALUES (1, 1, 5);
INSERT INTO nodes VALUES (1, NULL, 'root'), (2, 1, 'leaf'), (3, 2, 'tip');
INSERT INTO currencies VALUES ('EUR', 1);
INSERT INTO prices VALUES (1, 'EUR', 5);
INSERT INTO limits VALUES ('order', 1000), ('price', 9);
INSERT INTO orders VALUES (1, 200, 'n'), (2, 20, 'm');
INSERT INTO old_orders VALUES (1, 200);
INSERT INTO events VALUES (1, 'login', '2026-03-02'), (2, 'other', '2026-03-02');
INSERT INTO hr.employees (name, secret) VALUES ('Ada', false);
INSERT INTO hr.customers VALUES (1, 'inner');
INSERT INTO secrets VALUES (1, 'one', 'x');
INSERT INTO owners VALUES ('one', true);
INSERT INTO vectors VALUES (1, '{a,b}', '{"a": 1}');
INSERT INTO "Order" VALUES (1, 'x');
INSERT INTO "Größen"."Maß-Tabelle" VALUES (1, 2);
INSERT INTO "таблица" VALUES (1, 'a');
INSERT INTO "a.b" VALUES (1);
INSERT INTO ruled VALUES (1);
INSERT INTO entries VALUES ('2025-02-02', 8), ('2026-02-02', 7);
INSERT INTO queue (done) VALUES (false);
INSERT INTO pages (title, words) VALUES ('t', to_tsvector('steel'));
ALTER TABLE readonly_orders DISABLE RULE no_insert;
INSERT INTO readonly_orders VALUES (1, 200);
ALTER TABLE readonly_orders ENABLE RULE no_insert;
REFRESH MATERIALIZED VIEW sales;
REFRESH MATERIALIZED VIEW priced_now;
