-- The line before a statement says what it touches. A view never appears, its tables do. The reads of a writing
-- statement are the least that must be found; SQLite also names those of its foreign-key checks.

-- reads customers
SELECT name FROM customers WHERE id = 1
-- reads customers
SELECT count(*) FROM customers
-- reads customers
SELECT count(*) FROM CUSTOMERS AS c
-- reads Order
SELECT "select" FROM "Order" WHERE "from" = 1
-- reads customers invoices
SELECT c.name, (SELECT sum(total) FROM invoices i WHERE i.customer_id = c.id) FROM customers c
-- reads customers invoices
SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM invoices WHERE customer_id = customers.id)
-- reads customers
SELECT name FROM customers WHERE 0 AND id IN (SELECT customer_id FROM invoices)
-- reads customers
SELECT c.name FROM customers c LEFT JOIN customers d ON d.id = c.id
-- reads customers invoices
SELECT * FROM open_invoices
-- reads customers invoices
SELECT count(*) FROM open_totals
-- reads invoices items
SELECT id FROM invoices UNION ALL SELECT id FROM items
-- reads invoices items
SELECT id FROM invoices EXCEPT SELECT invoice_id FROM items ORDER BY 1 LIMIT 5
-- reads invoices
WITH customers AS (SELECT customer_id AS id FROM invoices) SELECT * FROM customers
-- reads accounts
WITH RECURSIVE tree(id) AS (SELECT 1 UNION ALL SELECT a.id FROM accounts a JOIN tree ON a.parent_id = tree.id) SELECT * FROM tree
-- reads invoices
SELECT id, sum(total) OVER (PARTITION BY customer_id ORDER BY id) FROM invoices
-- reads customers
SELECT key, value FROM customers, json_each(json_array(name, city))
-- reads -
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n
-- reads -
SELECT 1
-- reads -
SELECT * FROM json_each('[1, 2]')
-- reads -
SELECT name FROM pragma_table_info('customers')
-- reads -
SELECT 'customers' AS invoices
-- reads pages
SELECT title FROM pages WHERE pages MATCH 'steel'
-- reads notes note_search
SELECT title FROM note_search WHERE note_search MATCH 'steel'
-- reads pages
SELECT count(*) FROM pages_docsize
-- reads pages writes pages
DELETE FROM pages WHERE rowid = 1
-- reads - writes pages
INSERT INTO pages (title, body) VALUES ('a', 'b')
-- reads - writes notes note_search
INSERT INTO notes (title, body) VALUES ('a', 'b')
-- reads accounts stats writes payments accounts audit stats
INSERT INTO payments (invoice_id, cents) VALUES (NULL, 100)
-- reads invoices accounts stats writes payments accounts audit stats
INSERT INTO payments (invoice_id, cents) SELECT id, total FROM invoices
-- reads stats writes accounts stats
UPDATE accounts SET balance = 0
-- reads accounts writes accounts
UPDATE accounts SET name = 'Kasse' WHERE id = 1
-- reads customers invoices items payments writes customers invoices items payments
DELETE FROM customers WHERE id = 1
-- reads customers invoices items payments writes customers invoices items payments
DELETE FROM customers
-- reads customers invoices writes customers invoices
UPDATE customers SET id = id + 1000
-- reads - writes customers
UPDATE customers SET name = 'Alpha'
-- reads items invoices writes items invoices payments
DELETE FROM invoices WHERE id = 1 RETURNING number
-- reads items invoices writes items invoices payments
INSERT OR REPLACE INTO invoices (id, number) VALUES (1, 'R-1')
-- reads stats invoices writes stats
INSERT INTO stats VALUES ('a', 1) ON CONFLICT (key) DO UPDATE SET n = n + (SELECT count(*) FROM invoices)
-- reads - writes stats
REPLACE INTO stats VALUES ('a', 1)
-- reads invoices items writes invoices
UPDATE invoices SET total = s.price FROM (SELECT invoice_id, sum(price) AS price FROM items GROUP BY invoice_id) AS s WHERE s.invoice_id = invoices.id
-- reads invoices customers writes invoices
UPDATE invoices SET status = 'paid' WHERE customer_id IN (SELECT id FROM customers WHERE city = 'Ulm')
-- reads invoices items customers writes items
WITH due AS (SELECT i.id FROM invoices i JOIN customers c ON c.id = i.customer_id) DELETE FROM items WHERE invoice_id IN (SELECT id FROM due)
-- reads customers writes customers
INSERT INTO customers (name) SELECT name FROM customers RETURNING id, (SELECT max(id) FROM customers)
-- reads customers invoices writes invoices
DELETE FROM open_invoices WHERE id = 1
-- reads - writes audit
INSERT INTO audit (what) VALUES ('a'), ('b'), ('c')
