-- What each statement touches, written down before the code that is judged by it.
--
-- The line before a statement is its verdict: "reads" and "writes" name tables, never views; "-" is none. The reads
-- of a writing statement leave out its own targets. "?" says that the right answer is "perhaps anything"; the tables
-- beside it are those that the statement does touch. "also" names what is found too much, and why that is so is said
-- beside it; it counts against the precision, as every "?" does.
-- "first" lines run before the statement, on the same connection. "source" holds for all that follows it.

-- source: The first forty statements: forms that parsers of SQL miss tables in (CTE shadowing, EXPLAIN, MERGE, LATERAL)
-- reads customers
SELECT name FROM customers WHERE id = 1
-- reads customers
SELECT count(*) FROM public.customers AS c
-- reads Order
SELECT "select" FROM "Order" WHERE "from" = 1
-- reads customers invoices
SELECT c.name, (SELECT sum(total) FROM invoices i WHERE i.customer_id = c.id) FROM customers c
-- reads customers invoices
SELECT name FROM customers WHERE false AND id IN (SELECT customer_id FROM invoices)
-- reads customers invoices
SELECT c.id FROM customers c LEFT JOIN invoices i ON i.customer_id = c.id WHERE c.id = 1
-- reads customers invoices
SELECT * FROM customers, invoices WHERE customers.id = invoices.customer_id
-- reads customers invoices
SELECT c.name, x.total FROM customers c CROSS JOIN LATERAL (SELECT total FROM invoices i WHERE i.customer_id = c.id LIMIT 1) x
-- reads customers invoices
SELECT * FROM open_invoices
-- reads customers invoices
SELECT count(*) FROM open_totals
-- reads sales
SELECT * FROM sales
-- reads invoices items
SELECT id FROM invoices UNION ALL SELECT id FROM items
-- reads invoices items
TABLE invoices UNION ALL SELECT id, NULL, NULL, NULL, NULL FROM items
-- reads accounts
WITH RECURSIVE tree(id) AS (SELECT 1 UNION ALL SELECT a.id FROM accounts a JOIN tree ON a.parent_id = tree.id) SELECT * FROM tree
-- reads invoices
WITH open AS NOT MATERIALIZED (SELECT id FROM invoices) SELECT * FROM open
-- reads entries entries_2025 entries_2026
SELECT sum(hours) FROM entries WHERE day = '2026-03-02'
-- reads entries_2026
SELECT sum(hours) FROM entries_2026
-- reads vehicles trucks
SELECT plate FROM vehicles
-- reads hr.employees hr.grants
SELECT name FROM hr.employees
-- reads invoices
SELECT customer_total(1)
-- reads items
SELECT atomic_total(1)
-- reads customers payments
SELECT c.label FROM customers c
-- reads -
SELECT add_one(1)
-- reads -
SELECT 1
-- reads -
SELECT 'customers' || $$ invoices $$ -- FROM items
-- reads -
SELECT * FROM generate_series(1, 3) AS n
-- reads -
SELECT extract(year FROM now()), trim(both FROM ' a '), 1 IS DISTINCT FROM 2
-- reads pages
SELECT title FROM pages WHERE words @@ to_tsquery('steel')
-- reads invoices
SELECT id FROM invoices FOR UPDATE OF invoices SKIP LOCKED
-- reads customers ? writes ?
SELECT query_to_xml('SELECT * FROM customers', true, false, '')
-- reads ?
SELECT relname FROM pg_class
-- reads ?
SELECT table_name FROM information_schema.tables
-- reads customers ?
EXPLAIN SELECT * FROM customers
-- reads -
SHOW search_path
-- reads -
SET search_path = public
-- reads invoices accounts writes payments accounts audit stats
INSERT INTO payments (invoice_id, cents) SELECT id, total FROM invoices
-- reads - writes accounts stats
UPDATE accounts SET balance = 0
-- reads customers writes customers invoices items payments
DELETE FROM customers WHERE id = 1
-- reads - writes customers invoices
UPDATE customers SET id = id + 1000
-- reads invoices writes items
DELETE FROM items USING invoices WHERE invoices.id = items.invoice_id
-- reads items invoices writes invoices
UPDATE invoices SET total = s.price FROM (SELECT invoice_id, sum(price) AS price FROM items GROUP BY invoice_id) s WHERE s.invoice_id = invoices.id
-- reads customers writes stats
INSERT INTO stats VALUES ('a', (SELECT count(*) FROM customers)) ON CONFLICT (key) DO UPDATE SET n = excluded.n
-- reads items writes items audit
WITH gone AS (DELETE FROM items WHERE price < 0 RETURNING id) INSERT INTO audit (what) SELECT id::text FROM gone
-- reads items writes items
WITH gone AS (DELETE FROM items RETURNING *) SELECT count(*) FROM gone
-- reads customers writes stats
MERGE INTO stats s USING customers c ON s.key = c.name WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT VALUES (c.name, 1)
-- reads - writes ruled audit
INSERT INTO ruled VALUES (1)
-- reads - writes documents numbers
INSERT INTO documents DEFAULT VALUES
-- reads ? writes archive stats ?
INSERT INTO archive VALUES (1, 1)
-- reads - writes entries entries_2025 entries_2026
INSERT INTO entries VALUES ('2026-03-02', 8)
-- reads - writes entries_2026
INSERT INTO entries_2026 VALUES ('2026-03-02', 8)
-- reads - writes vehicles trucks
UPDATE vehicles SET plate = 'UL-A 1'
-- reads - writes customers also invoices (which columns a view assigns is not followed)
UPDATE plain_customers SET name = 'Alpha'
-- reads customers writes invoices
DELETE FROM open_invoices WHERE id = 1
-- reads - writes payments accounts audit stats
SELECT pay(NULL, 100)
-- reads - writes stats audit
TRUNCATE stats, ONLY audit
-- reads invoices writes sales
REFRESH MATERIALIZED VIEW sales
-- reads ? writes stats ?
DO $$ BEGIN DELETE FROM stats; END $$
-- reads hr.grants writes hr.employees
INSERT INTO hr.employees (name) VALUES ('Ada') RETURNING id
-- reads ? writes items
EXPLAIN ANALYZE DELETE FROM items
-- reads invoices ? writes archive stats ?
INSERT INTO archive SELECT id, total FROM invoices

-- source: PostgreSQL manual, 7.8 WITH queries: shadowing, nesting, data-modifying, SEARCH and CYCLE
-- reads customers
WITH invoices AS (SELECT id FROM customers) SELECT * FROM invoices
-- reads invoices customers
WITH customers AS (SELECT * FROM invoices) SELECT c.id FROM customers c, public.customers p WHERE c.id = p.id
-- reads items
WITH a AS (WITH invoices AS (SELECT id FROM items) SELECT * FROM invoices) SELECT * FROM a
-- reads items invoices
WITH a AS (WITH invoices AS (SELECT id FROM items) SELECT * FROM invoices) SELECT a.id FROM a JOIN invoices i ON i.id = a.id
-- reads nodes
WITH RECURSIVE customers AS (SELECT id FROM nodes WHERE parent_id IS NULL UNION SELECT n.id FROM nodes n, customers WHERE n.parent_id = customers.id) SELECT count(*) FROM customers
-- reads nodes
WITH RECURSIVE t AS (SELECT id, parent_id FROM nodes UNION ALL SELECT n.id, n.parent_id FROM nodes n JOIN t ON n.parent_id = t.id) SEARCH DEPTH FIRST BY id SET ord CYCLE id SET looped USING path SELECT * FROM t ORDER BY ord
-- reads customers
WITH x (items, payments) AS MATERIALIZED (SELECT id, name FROM customers) SELECT items, payments FROM x
-- reads - writes queue audit
WITH done AS (UPDATE queue SET done = true RETURNING id), told AS (INSERT INTO audit (what) SELECT id::text FROM done RETURNING id) SELECT count(*) FROM told
-- reads - writes stats queue
WITH a AS (DELETE FROM stats WHERE key = 'no'), b AS (INSERT INTO queue DEFAULT VALUES) SELECT 1
-- reads nodes writes audit
WITH RECURSIVE up AS (SELECT id, parent_id FROM nodes WHERE id = 3 UNION ALL SELECT n.id, n.parent_id FROM nodes n JOIN up ON up.parent_id = n.id) INSERT INTO audit (what) SELECT id::text FROM up
-- reads - writes stats
WITH stats AS (INSERT INTO stats VALUES ('w', 1) RETURNING key) SELECT * FROM stats
-- reads nodes writes queue
WITH tree AS (SELECT id FROM nodes) UPDATE queue SET done = true FROM tree WHERE tree.id = queue.id
-- reads nodes writes queue
WITH tree AS (SELECT id FROM nodes) DELETE FROM queue USING tree WHERE tree.id = queue.id
-- reads customers invoices items
SELECT * FROM customers WHERE id IN (WITH i AS (SELECT customer_id FROM invoices WHERE id IN (SELECT invoice_id FROM items)) SELECT customer_id FROM i)

-- source: PostgreSQL manual, 7.2 table expressions: joins, sub-queries, LATERAL, functions as tables, aliases that hide
-- reads invoices
SELECT customers.id FROM invoices AS customers
-- reads invoices
SELECT items.payments FROM invoices AS items (payments)
-- reads customers invoices
SELECT * FROM customers NATURAL JOIN (SELECT customer_id AS id, total FROM invoices) i
-- reads customers invoices
SELECT id FROM customers JOIN invoices USING (id)
-- reads customers
SELECT (c).name FROM customers c
-- reads customers
SELECT c FROM customers c
-- reads customers
SELECT c.* FROM customers c WHERE c IS NOT NULL
-- reads customers invoices items
SELECT c.id, l.n FROM customers c LEFT JOIN LATERAL (SELECT i.id, (SELECT count(*) FROM items t WHERE t.invoice_id = i.id) AS n FROM invoices i WHERE i.customer_id = c.id) l ON true
-- reads customers
SELECT n FROM customers c, LATERAL generate_series(1, c.id) AS n
-- reads invoices
SELECT invoices.status, count(*) FILTER (WHERE total > 5) OVER w FROM invoices WINDOW w AS (PARTITION BY status)
-- reads invoices
SELECT status, sum(total) FROM invoices GROUP BY GROUPING SETS ((status), ()) HAVING sum(total) > 1
-- reads invoices items payments
SELECT id FROM invoices EXCEPT (SELECT invoice_id FROM items INTERSECT SELECT invoice_id FROM payments)
-- reads customers
SELECT name FROM customers TABLESAMPLE SYSTEM (50)
-- reads customers invoices
SELECT ARRAY(SELECT id FROM invoices), (SELECT max(id) FROM customers)
-- reads customers invoices
SELECT CASE WHEN EXISTS (SELECT FROM invoices) THEN 1 END FROM customers
-- reads customers nodes
SELECT 1 FROM customers WHERE (id, name) IN (SELECT id, label FROM nodes)
-- reads customers stats
SELECT name FROM customers ORDER BY (SELECT n FROM stats WHERE key = name)
-- reads customers stats
SELECT name FROM customers LIMIT (SELECT n FROM stats LIMIT 1)
-- reads stats
VALUES ((SELECT n FROM stats LIMIT 1)), (2)
-- reads vectors
SELECT t.tag FROM vectors, unnest(tags) AS t (tag)
-- reads vectors
SELECT body -> 'a', body ->> 'customers', body #>> '{invoices}' FROM vectors WHERE body @> '{"a": 1}'
-- reads invoices
SELECT id FROM invoices FOR NO KEY UPDATE NOWAIT
-- reads customers invoices
SELECT c.id FROM customers c JOIN invoices i ON i.customer_id = c.id FOR SHARE OF c
-- reads customers
SELECT DISTINCT ON (city) city, name FROM customers ORDER BY city, id DESC
-- reads -
SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS customers (a, b)
-- reads -
SELECT * FROM json_to_recordset('[{"id": 1}]') AS invoices (id int)
-- reads -
SELECT * FROM (VALUES (1, 'a')) AS customers (id, name)
-- reads customers
(SELECT id FROM customers ORDER BY id LIMIT 1) UNION ALL (SELECT 1)

-- source: Lexical traps (PostgreSQL manual 4.1): quoting, Unicode, comments, dollar quotes, operators without spaces
-- reads Größen.Maß-Tabelle
SELECT "Länge ""außen""" FROM "Größen"."Maß-Tabelle"
-- reads таблица
SELECT "имя" FROM "таблица"
-- reads таблица
SELECT таблица.id FROM таблица
-- reads a.b
SELECT * FROM "a.b"
-- reads Order
SELECT "Order"."from" FROM "Order" AS "Order"
-- reads customers
SELECT/*a*/name/* FROM items /* nested */ */FROM/**/customers
-- reads customers
SELECT name FROM customers -- JOIN invoices
-- reads customers
SELECT E'it\'s FROM items', 'a''b FROM payments' FROM customers
-- reads customers
SELECT $q$ FROM "invoices" $$ $q$ FROM customers
-- reads customers
SELECT U&'d\0061ta', name FROM customers
-- reads customers
SELECT U&"n\0061me" FROM customers
-- reads customers
SELECT name FROM U&"c\0075stomers"
-- reads customers
sElEcT NaMe FrOm PuBlIc.CuStOmErS
-- reads customers
SELECT name FROM sql_corpus.public.customers
-- reads customers
SELECT 'invoices'::text, 'a' AS "items" FROM customers
-- reads vectors
SELECT tags[1:2] FROM vectors
-- reads customers
SELECT name FROM customers WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
-- reads customers
SELECT name FROM customers;

-- source: PostgreSQL manual, 41 the rule system: views on views, security barriers, check options, recursive and updatable views
-- reads orders
SELECT * FROM big_orders
-- reads orders customers
SELECT b.id FROM big_orders b JOIN plain_customers p ON p.id = b.id
-- reads prices currencies
SELECT id FROM checked_prices
-- reads prices currencies limits
SELECT * FROM priced
-- reads priced_now
SELECT * FROM priced_now
-- reads customers hr.employees hr.grants
SELECT name FROM union_people
-- reads machines presses big_presses
SELECT name FROM machine_names
-- reads nodes
SELECT * FROM chain
-- reads - writes customers
INSERT INTO plain_customers (id, name) VALUES (90, 'Gamma')
-- reads - writes customers invoices items payments
DELETE FROM plain_customers WHERE id = 2
-- reads orders writes old_orders
INSERT INTO order_desk VALUES (7, 70)
-- reads orders writes old_orders
UPDATE order_desk SET amount = 5 WHERE id = 1
-- reads - writes orders old_orders
DELETE FROM order_desk WHERE id = 2
-- reads orders writes old_orders
UPDATE big_orders SET amount = 300
-- reads currencies writes prices
UPDATE checked_prices SET amount = 6
-- reads prices currencies limits writes priced_now
REFRESH MATERIALIZED VIEW priced_now
-- reads invoices writes sales
REFRESH MATERIALIZED VIEW sales WITH NO DATA
-- reads customers writes stats
INSERT INTO stats SELECT name, 3 FROM plain_customers ON CONFLICT (key) DO UPDATE SET n = 9

-- source: PostgreSQL manual, 41.4 rules on INSERT, UPDATE and DELETE: INSTEAD NOTHING, redirected, conditional ALSO, several actions
-- reads readonly_orders
INSERT INTO readonly_orders VALUES (3, 3)
-- reads readonly_orders writes old_orders
UPDATE readonly_orders SET amount = 11
-- reads tenants writes readonly_orders order_log
DELETE FROM readonly_orders WHERE id = 1
-- reads - writes ruled queue audit
INSERT INTO ruled_view VALUES (5)
-- reads - writes ruled
UPDATE ruled SET id = 2

-- source: PostgreSQL manual, 39 triggers: transition tables, UPDATE OF, BEFORE, INSTEAD OF, TRUNCATE, disabled, on partitions, deferred
-- reads limits writes orders order_totals
INSERT INTO orders (id, amount) VALUES (5, 50)
-- reads limits writes orders order_log
UPDATE orders SET note = 'again'
-- reads limits writes orders
UPDATE orders SET amount = 21 WHERE id = 2
-- reads - writes orders old_orders
DELETE FROM orders WHERE id = 1
-- reads - writes orders order_log
TRUNCATE orders
-- reads - writes queue
INSERT INTO queue (done) VALUES (true)
-- reads accounts writes accounts stats
UPDATE accounts SET name = name || '!' WHERE id = 1
-- reads - writes accounts
DELETE FROM accounts WHERE id = 1
-- reads limits customers writes orders order_totals
INSERT INTO orders (id, amount) SELECT id + 100, 5 FROM customers
-- reads limits writes orders order_totals order_log
INSERT INTO orders (id, amount, note) VALUES (1, 7, 'n') ON CONFLICT (id) DO UPDATE SET note = excluded.note

-- source: PostgreSQL manual, 5.4.5 foreign keys: CASCADE over two levels and to itself, SET NULL, SET DEFAULT, RESTRICT, ON UPDATE
-- reads - writes tenants warehouses
DELETE FROM tenants WHERE id = 9
-- reads - writes tenants warehouses
UPDATE tenants SET id = id + 10
-- reads - writes tenants
UPDATE tenants SET name = 'x'
-- reads - writes shelves bins stock
DELETE FROM shelves WHERE id = 1
-- reads - writes bins stock
DELETE FROM bins WHERE id = 1
-- reads - writes warehouses
DELETE FROM warehouses WHERE id = 2
-- reads - writes nodes
DELETE FROM nodes WHERE id = 1
-- reads - writes invoices
UPDATE invoices SET number = 'R9' WHERE id = 1
-- reads - writes invoices items payments
DELETE FROM invoices
-- reads - writes customers
UPDATE customers SET city = 'Köln'
-- reads - writes tenants warehouses shelves bins stock
TRUNCATE tenants CASCADE
-- reads - writes shelves bins stock
TRUNCATE TABLE shelves RESTART IDENTITY CASCADE

-- source: PostgreSQL manual, 5.11 partitioning and 5.10 inheritance: levels, defaults, moves between partitions, ONLY
-- reads events events_login events_login_2026 events_login_rest events_other
SELECT count(*) FROM events
-- reads events_login events_login_2026 events_login_rest
SELECT count(*) FROM events_login WHERE day = '2026-01-05'
-- reads events events_login events_login_2026 events_login_rest events_other
SELECT count(*) FROM events WHERE kind = 'login' AND false
-- reads - writes events events_login events_login_2026 events_login_rest events_other event_moves
INSERT INTO events VALUES (9, 'other', '2026-01-01')
-- reads - writes events events_login events_login_2026 events_login_rest events_other event_moves
UPDATE events SET kind = 'other' WHERE id = 1
-- reads - writes events_login events_login_2026 events_login_rest
UPDATE events_login SET day = '2020-01-01'
-- reads - writes events events_login events_login_2026 events_login_rest events_other
DELETE FROM events WHERE id = 2
-- reads - writes events_other event_moves
INSERT INTO events_other VALUES (9, 'x', '2026-01-01')
-- reads - writes events_login_2026
DELETE FROM events_login_2026
-- reads - writes events events_login events_login_2026 events_login_rest events_other
TRUNCATE events
-- reads - writes entries entries_2025 entries_2026
UPDATE entries SET day = day + 365 WHERE day < '2026-01-01'
-- reads vehicles
SELECT plate FROM ONLY vehicles
-- reads vehicles trucks
SELECT plate FROM vehicles *
-- reads - writes vehicles
UPDATE ONLY vehicles SET plate = 'x'
-- reads - writes vehicles
DELETE FROM ONLY vehicles
-- reads - writes vehicles
INSERT INTO vehicles VALUES (3, 'c')
-- reads machines presses big_presses
SELECT tableoid::regclass, name FROM machines
-- reads presses big_presses
SELECT * FROM presses
-- reads - writes machines presses big_presses
DELETE FROM machines WHERE id = 2
-- reads machines
SELECT m.name FROM ONLY (machines) m

-- source: PostgreSQL manual, 38.5 functions: SQL, PL/pgSQL, BEGIN ATOMIC, default arguments, attribute notation, dynamic EXECUTE
-- reads currencies
SELECT rate_of('EUR')
-- reads limits
SELECT most_of('order')
-- reads customers also hr.customers (PL/pgSQL is read word by word)
SELECT * FROM customer_names()
-- reads customers also hr.customers (PL/pgSQL is read word by word)
SELECT n FROM customer_names() AS n WHERE n > 'A'
-- reads invoices nodes
SELECT nested()
-- reads - writes stats
SELECT atomic_sale(1)
-- reads nodes writes audit queue
SELECT atomic_both(1)
-- reads - writes numbers
SELECT next_ticket()
-- reads - writes numbers
SELECT next_ticket(kind => 'y')
-- reads ? writes stats ?
SELECT run_text('DELETE FROM stats')
-- reads customers
SELECT c.doubled_name FROM customers c
-- reads customers
SELECT doubled_name(c) FROM customers c
-- reads customers payments
SELECT label(c) FROM customers c
-- reads - writes calls
SELECT log_call('a')
-- reads customers writes calls
SELECT log_call(name) FROM customers
-- reads stats writes calls
SELECT key FROM stats WHERE log_call(key) > 0
-- reads customers invoices
SELECT c.name FROM customers c ORDER BY customer_total(c.id)
-- reads - writes calls
WITH logged AS (SELECT log_call('w') AS id) SELECT id FROM logged
-- reads - writes calls
SELECT public.log_call('a')
-- reads -
SELECT upper('customers'), coalesce(NULL, 'invoices'), now() > '2020-01-01'
-- reads - writes numbers documents
INSERT INTO documents (number) VALUES (DEFAULT)
-- reads - writes documents also numbers (a default is taken to be used)
INSERT INTO documents (number) VALUES (5)
-- reads limits
SELECT below_limit(5)
-- reads - writes prices
INSERT INTO prices (id, currency, amount) VALUES (7, 'EUR', 2)
-- reads - writes prices
UPDATE prices SET amount = 9 WHERE id = 1
-- reads owners tenants secrets
SELECT body FROM secrets
-- reads owners tenants writes secrets
INSERT INTO secrets VALUES (5, 'two', 'y')
-- reads owners
SELECT is_owner('one')
-- reads ? writes stats ?
CALL book(5)

-- source: PostgreSQL manual, SQL commands INSERT, UPDATE, DELETE, MERGE: ON CONFLICT, RETURNING, FROM, USING, sub-selects in SET
-- reads customers writes stats
INSERT INTO stats (key, n) VALUES ('r', 1) RETURNING (SELECT count(*) FROM customers)
-- reads customers writes stats
UPDATE stats SET (key, n) = (SELECT name, id FROM customers LIMIT 1) WHERE key = 'no'
-- reads customers invoices writes stats
UPDATE stats s SET n = 1 FROM customers c JOIN invoices i ON i.customer_id = c.id WHERE c.name = s.key
-- reads - writes stats
UPDATE stats SET n = DEFAULT
-- reads - writes stats
UPDATE stats AS customers SET n = 1 WHERE customers.key = 'x'
-- reads customers writes stats
DELETE FROM stats WHERE key IN (SELECT name FROM customers)
-- reads customers writes stats
DELETE FROM stats AS s USING customers AS c WHERE c.name = s.key RETURNING c.name
-- reads customers nodes writes stats
MERGE INTO stats s USING (SELECT name FROM customers) c ON s.key = c.name WHEN MATCHED AND s.n IN (SELECT id FROM nodes) THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (c.name, 2)
-- reads customers writes stats
MERGE INTO stats USING customers ON key = customers.name WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (key) VALUES (customers.name)
-- reads limits old_orders writes orders
MERGE INTO orders o USING old_orders x ON o.id = x.id WHEN MATCHED THEN UPDATE SET amount = x.amount
-- reads customers writes invoices items payments
MERGE INTO invoices i USING customers c ON i.customer_id = c.id AND c.name = 'Beta' WHEN MATCHED THEN DELETE
-- reads - writes stats
INSERT INTO stats AS s VALUES ('k', 1) ON CONFLICT ON CONSTRAINT stats_pkey DO UPDATE SET n = s.n + 1
-- reads - writes stats
INSERT INTO stats VALUES ('k', 1) ON CONFLICT DO NOTHING
-- reads nodes writes stats
INSERT INTO stats VALUES ('k', 1) ON CONFLICT (key) DO UPDATE SET n = (SELECT max(id) FROM nodes) WHERE stats.n > 0
-- reads - writes labelled
INSERT INTO labelled (name) VALUES ('a')
-- reads - writes identities
INSERT INTO identities (name) VALUES ('a') RETURNING id
-- reads - writes queue
INSERT INTO queue OVERRIDING SYSTEM VALUE VALUES (50, true)
-- reads queue nodes writes audit
INSERT INTO audit (what) SELECT q.id::text FROM queue q WHERE EXISTS (SELECT 1 FROM nodes n WHERE n.id = q.id) LIMIT 1
-- reads - writes queue
DELETE FROM queue WHERE id = (SELECT id FROM queue ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id

-- source: PostgreSQL manual, utility commands: EXPLAIN, COPY, LOCK, cursors, PREPARE, sequences, NOTIFY, SELECT INTO, DO
-- reads customers ?
EXPLAIN (COSTS off) SELECT * FROM customers
-- reads customers ?
EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM customers
-- reads customers ? writes stats
EXPLAIN (ANALYZE) INSERT INTO stats SELECT 'e' || name, 1 FROM customers
-- reads -
LOCK TABLE customers IN SHARE MODE
-- reads customers
DECLARE c CURSOR FOR SELECT name FROM customers
-- reads customers ?
-- first DECLARE c CURSOR FOR SELECT name FROM customers
FETCH 2 FROM c
-- reads customers ? writes ?
-- first PREPARE q AS SELECT name FROM customers
EXECUTE q
-- reads ? writes stats ?
-- first PREPARE w AS DELETE FROM stats
EXECUTE w
-- reads -
PREPARE z AS SELECT name FROM customers
-- reads customers ? writes ?
CREATE TABLE copied AS SELECT id FROM customers
-- reads customers ? writes ?
SELECT id INTO TEMP copied_too FROM customers
-- reads ? writes ?
CREATE TEMP TABLE scratch (id int)
-- reads -
NOTIFY customers, 'payments'
-- reads -
SET LOCAL statement_timeout = '5s'
-- reads -
SELECT nextval('tickets')
-- reads -
SELECT setval('tickets', 5), currval('tickets')
-- reads -
SELECT pg_advisory_xact_lock(1), current_setting('search_path'), txid_current()
-- reads -
SELECT pg_sleep(0), version(), current_user
-- reads ?
SELECT count(*) FROM pg_catalog.pg_class
-- reads customers ?
SELECT 'customers'::regclass::text, pg_relation_size('customers')
-- reads stats
COPY stats TO STDOUT
-- reads customers invoices
COPY (SELECT c.name FROM customers c JOIN invoices i ON i.customer_id = c.id) TO STDOUT
-- reads - writes stats
COPY (DELETE FROM stats RETURNING key) TO STDOUT
-- reads - writes stats
COPY stats FROM '/dev/null'
-- reads - writes payments accounts audit stats
COPY payments (invoice_id, cents) FROM '/dev/null' CSV

-- source: search_path games and temporary tables: one text, several relations (trap T1)
-- reads hr.customers
-- first SET LOCAL search_path = hr, public
SELECT name FROM customers WHERE id = 41
-- reads hr.customers invoices
-- first SET LOCAL search_path = hr, public
SELECT c.name FROM customers c JOIN invoices i ON i.id = c.id
-- reads hr.grants
-- first SET LOCAL search_path TO hr
SELECT role FROM grants
-- reads Größen.Maß-Tabelle
-- first SET LOCAL search_path TO "Größen", public
SELECT id FROM "Maß-Tabelle"
-- reads hr.customers
SELECT name FROM hr.customers
-- reads customers hr.customers
SELECT p.name FROM public.customers p JOIN hr.customers h USING (id)
-- reads - writes hr.customers
-- first SET LOCAL search_path = hr, public
UPDATE customers SET name = 'path'
-- reads - writes hr.customers
UPDATE hr.customers SET name = 'plain'
-- reads hr.customers writes stats
INSERT INTO stats SELECT name, id FROM hr.customers
-- reads customers writes hr.customers
INSERT INTO hr.customers SELECT id + 50, name FROM public.customers

-- source: The queries of an ERP: lists with sums, dunning, stock, working time, dashboards, searches, imports
-- reads customers invoices items payments
SELECT c.name, sum(t.price), sum(p.cents) FROM customers c JOIN invoices i ON i.customer_id = c.id LEFT JOIN items t ON t.invoice_id = i.id LEFT JOIN payments p ON p.invoice_id = i.id GROUP BY c.name HAVING sum(t.price) > 0 ORDER BY 2 DESC LIMIT 10
-- reads customers invoices payments
SELECT c.id, c.name FROM customers c WHERE EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = c.id AND i.status = 'open' AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.invoice_id = i.id))
-- reads warehouses shelves bins stock tenants
SELECT t.name, w.name, sum(s.amount) FROM tenants t JOIN warehouses w ON w.tenant_id = t.id JOIN shelves h ON h.warehouse_id = w.id JOIN bins b ON b.shelf_id = h.id LEFT JOIN stock s ON s.bin_id = b.id GROUP BY ROLLUP (t.name, w.name)
-- reads entries entries_2025 entries_2026 hr.employees hr.grants
SELECT e.name, coalesce(sum(n.hours), 0) FROM hr.employees e CROSS JOIN entries n WHERE n.day BETWEEN '2026-01-01' AND '2026-02-01' GROUP BY e.name
-- reads customers invoices orders stats queue nodes
SELECT (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM invoices WHERE status = 'open') AS open, (SELECT sum(amount) FROM orders) AS orders, (SELECT max(n) FROM stats) AS best, (SELECT count(*) FROM queue WHERE NOT done) AS waiting, (SELECT count(*) FROM nodes) AS nodes
-- reads customers invoices pages vectors
SELECT 'customer' AS kind, id, name AS title FROM customers WHERE name ILIKE '%a%' UNION ALL SELECT 'invoice', id, number FROM invoices WHERE number LIKE 'R%' UNION ALL SELECT 'page', id, title FROM pages WHERE words @@ plainto_tsquery('steel') UNION ALL SELECT 'vector', id, tags[1] FROM vectors LIMIT 20
-- reads invoices items
WITH lines AS (SELECT invoice_id, sum(price) AS price FROM items GROUP BY invoice_id), ranked AS (SELECT i.id, l.price, rank() OVER (PARTITION BY i.status ORDER BY l.price DESC) AS place FROM invoices i JOIN lines l ON l.invoice_id = i.id) SELECT * FROM ranked WHERE place <= 3
-- reads events events_login events_login_2026 events_login_rest events_other event_moves audit
SELECT e.kind, count(*), (SELECT count(*) FROM event_moves), (SELECT max(id) FROM audit) FROM events e GROUP BY e.kind
-- reads machines presses big_presses vehicles trucks
SELECT m.name, v.plate FROM machines m FULL JOIN vehicles v ON v.id = m.id
-- reads customers invoices items payments accounts
SELECT jsonb_build_object('customer', c.name, 'invoices', (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'items', (SELECT jsonb_agg(t.price) FROM items t WHERE t.invoice_id = i.id), 'paid', (SELECT sum(p.cents) FROM payments p WHERE p.invoice_id = i.id))) FROM invoices i WHERE i.customer_id = c.id), 'cash', (SELECT balance FROM accounts WHERE name = 'cash')) FROM customers c WHERE c.id = 1
-- reads nodes tenants warehouses
WITH RECURSIVE below (id, depth) AS (SELECT id, 0 FROM nodes WHERE id = 1 UNION ALL SELECT n.id, b.depth + 1 FROM nodes n JOIN below b ON n.parent_id = b.id) SELECT b.id, b.depth, t.name, w.name FROM below b LEFT JOIN tenants t ON t.id = b.id LEFT JOIN warehouses w ON w.id = b.id
-- reads prices currencies limits orders
SELECT p.id, p.rate, p.most, b.amount FROM priced p LEFT JOIN big_orders b ON b.id = p.id
-- reads customers invoices sales
SELECT o.name, o.total, s.total FROM open_totals o JOIN customers c ON c.name = o.name JOIN sales s ON s.customer_id = c.id
-- reads invoices customers writes stats
INSERT INTO stats SELECT c.name || ' ' || i.status, sum(i.total) FROM invoices i JOIN customers c ON c.id = i.customer_id GROUP BY 1, c.name, i.status ON CONFLICT (key) DO UPDATE SET n = excluded.n
-- reads items invoices writes invoices
UPDATE invoices i SET total = coalesce((SELECT sum(t.price) FROM items t WHERE t.invoice_id = i.id), 0) WHERE i.status = 'open'
-- reads invoices customers writes payments accounts audit stats
INSERT INTO payments (invoice_id, cents) SELECT i.id, i.total FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE c.city = 'Ulm'
-- reads shelves bins writes stock
INSERT INTO stock SELECT b.id + 10, b.id, 0 FROM bins b JOIN shelves s ON s.id = b.shelf_id
-- reads bins shelves writes stock
DELETE FROM stock USING bins, shelves WHERE bins.id = stock.bin_id AND shelves.id = bins.shelf_id AND shelves.label = 's'
-- reads queue customers writes queue audit
WITH taken AS (UPDATE queue SET done = true WHERE id IN (SELECT id FROM queue WHERE NOT done LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING id) INSERT INTO audit (what) SELECT 'done ' || t.id || c.name FROM taken t, customers c
-- reads hr.employees hr.grants hr.customers customers
SELECT e.name, g.role, h.name, c.name FROM hr.employees e JOIN hr.grants g ON g.employee_id = e.id LEFT JOIN hr.customers h ON h.id = e.id LEFT JOIN customers c ON c.id = h.id
-- reads orders order_log order_totals old_orders
SELECT o.id, l.what, t.amount, x.amount FROM orders o LEFT JOIN order_log l ON l.order_id = o.id LEFT JOIN order_totals t ON t.day = current_date LEFT JOIN old_orders x ON x.id = o.id
-- reads secrets owners tenants customers
SELECT s.body, c.name FROM secrets s JOIN customers c ON c.name = s.owner
-- reads таблица Order a.b
SELECT t.id, o."select", b.id FROM "таблица" t, "Order" o, "a.b" b
