-- The line before a statement says what it touches; "?" is "perhaps anything". A view never appears, its tables do.
-- The reads of a writing statement are the least that must be found: whoever writes is not answered from a cache.

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
-- reads ? writes ?
SELECT query_to_xml('SELECT * FROM customers', true, false, '')
-- reads ?
SELECT relname FROM pg_class
-- reads ?
SELECT table_name FROM information_schema.tables
-- reads ?
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
-- reads items writes items
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
-- reads - writes archive ?
INSERT INTO archive VALUES (1, 1)
-- reads - writes entries entries_2025 entries_2026
INSERT INTO entries VALUES ('2026-03-02', 8)
-- reads - writes entries_2026
INSERT INTO entries_2026 VALUES ('2026-03-02', 8)
-- reads - writes vehicles trucks
UPDATE vehicles SET plate = 'UL-A 1'
-- reads - writes customers invoices
UPDATE plain_customers SET name = 'Alpha'
-- reads - writes invoices
DELETE FROM open_invoices WHERE id = 1
-- reads - writes payments accounts audit stats
SELECT pay(NULL, 100)
-- reads - writes stats audit
TRUNCATE stats, ONLY audit
-- reads - writes sales
REFRESH MATERIALIZED VIEW sales
-- reads ? writes ?
DO $$ BEGIN DELETE FROM stats; END $$
-- reads - writes hr.employees
INSERT INTO hr.employees (name) VALUES ('Ada') RETURNING id
-- reads items writes items
EXPLAIN ANALYZE DELETE FROM items
-- reads invoices writes archive ?
INSERT INTO archive SELECT id, total FROM invoices
