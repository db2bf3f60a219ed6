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

-- SELECT: every place where a table can stand. Source: the railroad diagrams of sqlite.org/lang_select.html.
-- reads stores
SELECT * FROM main.stores
-- reads stores
SELECT s.* FROM stores AS s INDEXED BY stores_by_name WHERE lower(name) = 'a' AND region_id IS NOT NULL
-- reads stores
SELECT * FROM stores NOT INDEXED WHERE name = 'a'
-- reads stores stock
SELECT * FROM stores NATURAL JOIN stock
-- reads stores stock
SELECT * FROM stores s LEFT OUTER JOIN stock k ON k.store_id = s.id AND k.sku = 'x'
-- reads stores stock
SELECT * FROM stock k RIGHT JOIN stores s ON k.store_id = s.id
-- reads stores stock
SELECT * FROM stock k FULL JOIN stores s ON k.store_id = s.id
-- reads stores stock
SELECT * FROM (stores s JOIN stock k ON k.store_id = s.id)
-- reads stores stock regions
SELECT * FROM regions r JOIN (stores s LEFT JOIN stock k ON k.store_id = s.id) ON r.id = s.region_id
-- reads stores
SELECT * FROM (SELECT * FROM (SELECT id FROM stores))
-- reads stores regions
SELECT * FROM stores, (SELECT id FROM regions LIMIT 1) r
-- reads stores stock
SELECT (SELECT max(quantity) FROM stock WHERE store_id = stores.id) FROM stores
-- reads stores stock
SELECT id FROM stores ORDER BY (SELECT count(*) FROM stock WHERE store_id = stores.id)
-- reads stores stock
SELECT region_id FROM stores GROUP BY region_id HAVING count(*) > (SELECT count(*) FROM stock)
-- reads stores stock
SELECT id FROM stores LIMIT (SELECT count(*) FROM stock)
-- reads stores stock
SELECT id FROM stores LIMIT 5 OFFSET (SELECT coalesce(min(quantity), 0) FROM stock)
-- reads stores stock
SELECT CASE WHEN EXISTS (SELECT 1 FROM stock) THEN 1 ELSE 2 END FROM stores
-- reads stores stock
SELECT id FROM stores WHERE id NOT IN (SELECT store_id FROM stock)
-- reads stores stock
SELECT id FROM stores WHERE (id, name) IN (SELECT store_id, sku FROM stock)
-- reads stores stock
SELECT id FROM stores WHERE (id, name) = (SELECT store_id, sku FROM stock LIMIT 1)
-- reads stock
SELECT sku FROM stock WHERE quantity BETWEEN (SELECT 1) AND 10
-- reads stores stock moves
SELECT id FROM stores UNION SELECT store_id FROM stock UNION ALL SELECT id FROM moves
-- reads stores stock
SELECT id FROM stores INTERSECT SELECT store_id FROM stock
-- reads stores stock
VALUES ((SELECT count(*) FROM stores)), ((SELECT count(*) FROM stock))
-- reads stores
SELECT DISTINCT region_id FROM stores
-- reads stores
SELECT count(DISTINCT region_id) FROM stores
-- reads stores
SELECT group_concat(name, ',') FILTER (WHERE id > 1) FROM stores
-- reads stock
SELECT sum(quantity) OVER w FROM stock WINDOW w AS (PARTITION BY store_id ORDER BY sku ROWS 2 PRECEDING)
-- reads stock stores
SELECT row_number() OVER (ORDER BY (SELECT count(*) FROM stores)) FROM stock
-- reads stock
SELECT value FROM stock
-- reads moves
SELECT rowid, * FROM moves
-- reads moves
SELECT oid, _rowid_ FROM moves
-- reads moves
SELECT count(*) FROM moves WHERE sku = 'a' AND delta > 3
-- reads moves
SELECT max(delta) FROM moves
-- reads moves
SELECT min(id), max(id) FROM moves
-- reads moves
SELECT 1 FROM moves LIMIT 1
-- reads moves
SELECT 1 FROM moves LIMIT 0
-- reads regions
SELECT * FROM regions WHERE name = 'SÜD' COLLATE BINARY
-- reads regions
SELECT name LIKE 's%' FROM regions
-- reads regions
SELECT typeof(name), hex(name), iif(id > 1, 'a', 'b') FROM regions
-- reads regions
SELECT json_group_array(json_object('id', id)) FROM regions
-- reads regions
SELECT j.value FROM regions r, json_each(json_array(r.name)) AS j
-- reads regions
SELECT * FROM "regions"
-- reads regions
SELECT * FROM [regions]
-- reads regions
SELECT * FROM `regions`
-- reads regions
SELECT regions.id FROM regions /* FROM stores */ -- and stock
-- reads regions
select Id from REGIONS where NAME is not null
-- reads Order
SELECT o."from" FROM "Order" o

-- Common table expressions: shadowing, recursion, chains, unused ones. Source: sqlite.org/lang_with.html.
-- reads regions
WITH RECURSIVE up(id) AS (VALUES (3) UNION SELECT r.parent_id FROM regions r JOIN up ON r.id = up.id) SELECT id FROM up
-- reads regions stores
WITH RECURSIVE down(id) AS (SELECT id FROM regions WHERE parent_id IS NULL UNION ALL SELECT r.id FROM regions r, down WHERE r.parent_id = down.id) SELECT s.* FROM stores s WHERE s.region_id IN down
-- reads stock
WITH stores AS (SELECT * FROM stock) SELECT * FROM stores
-- reads stores
WITH stores AS (SELECT * FROM main.stores) SELECT * FROM stores
-- reads stock
WITH a AS (SELECT * FROM stock), b AS (SELECT * FROM a), c AS (SELECT * FROM b) SELECT count(*) FROM c
-- reads -
WITH unused AS (SELECT * FROM stock) SELECT 1
-- reads stores
WITH unused AS (SELECT * FROM stock) SELECT id FROM stores
-- reads stores stock
SELECT * FROM stores WHERE id IN (WITH x AS (SELECT store_id FROM stock) SELECT * FROM x)
-- reads stock moves
WITH a AS MATERIALIZED (SELECT sku FROM stock) SELECT * FROM a JOIN moves USING (sku)
-- reads stock moves
WITH a AS NOT MATERIALIZED (SELECT sku FROM stock) SELECT * FROM a JOIN moves USING (sku)
-- reads regions stores
WITH regions AS (SELECT 1 AS id) SELECT * FROM regions, main.regions AS r, stores

-- Views on views, views that shadow nothing, aggregates over them. Source: sqlite.org/lang_createview.html.
-- reads stores stock
SELECT name FROM big_stores
-- reads stores stock
SELECT count(*) FROM big_stores WHERE pieces > 100
-- reads regions stores stock
SELECT * FROM big_regions
-- reads regions stores stock customers invoices
SELECT * FROM report
-- reads regions stores stock customers invoices moves
SELECT m.id FROM moves m WHERE m.sku IN (SELECT name FROM report)
-- reads stock
SELECT sku FROM new_stock WHERE quantity > 3
-- reads customers invoices stores stock
SELECT * FROM open_invoices, big_stores
-- reads customers invoices
SELECT t.name FROM open_totals t JOIN open_invoices i ON i.name = t.name
-- reads customers invoices
WITH open_totals AS (SELECT * FROM open_invoices) SELECT * FROM open_totals

-- Virtual tables: their shadow tables are theirs. Source: sqlite.org/fts5.html, fts3.html, rtree.html.
-- reads letters
SELECT subject FROM letters WHERE letters MATCH 'steel'
-- reads letters
SELECT snippet(letters) FROM letters WHERE body MATCH 'a OR b'
-- reads letters
SELECT count(*) FROM letters
-- reads letters
SELECT * FROM letters_content
-- reads letters stores
SELECT l.docid FROM letters l, stores s WHERE l.subject MATCH s.name
-- reads pages
SELECT title, bm25(pages) FROM pages WHERE pages MATCH 'a' ORDER BY rank
-- reads pages
SELECT highlight(pages, 0, '<', '>') FROM pages('a')
-- reads places
SELECT id FROM places WHERE x1 > 1 AND x2 < 5
-- reads places stores
SELECT s.name FROM places p JOIN stores s ON s.id = p.id WHERE p.y1 > 0
-- reads note_search notes
SELECT n.body FROM note_search s JOIN notes n ON n.id = s.rowid WHERE note_search MATCH 'x'
-- reads - writes letters
INSERT INTO letters (subject, body) VALUES ('a', 'b')
-- reads - writes letters
UPDATE letters SET body = 'c' WHERE docid = 1
-- reads - writes letters
DELETE FROM letters WHERE subject MATCH 'a'
-- reads - writes letters
INSERT INTO letters (letters) VALUES ('optimize')
-- reads - writes places
INSERT INTO places VALUES (1, 0, 1, 0, 1)
-- reads - writes places
DELETE FROM places WHERE id = 1
-- reads - writes places
UPDATE places SET x2 = 4 WHERE id = 1
-- reads - writes pages
UPDATE pages SET title = 'b' WHERE rowid = 1
-- reads - writes pages
INSERT INTO pages (pages, rank) VALUES ('merge', 500)
-- reads customers writes letters
INSERT INTO letters (subject) SELECT name FROM customers

-- INSERT. Source: sqlite.org/lang_insert.html, lang_upsert.html, lang_returning.html.
-- reads - writes log
INSERT INTO log DEFAULT VALUES
-- reads - writes log
INSERT INTO main.log (n) VALUES (1)
-- reads stores writes log
INSERT INTO log SELECT id, name FROM stores
-- reads stores stock writes log
INSERT INTO log SELECT * FROM (SELECT id, name FROM stores UNION SELECT store_id, sku FROM stock)
-- reads stores stock writes log
WITH x AS (SELECT id FROM stores) INSERT INTO log SELECT id, (SELECT max(sku) FROM stock) FROM x
-- reads stores writes log
INSERT INTO log (n) VALUES ((SELECT count(*) FROM stores))
-- reads log writes log
INSERT INTO log SELECT n + 1, what FROM log
-- reads - writes moves
INSERT INTO moves (sku, delta) VALUES ('a', 1) RETURNING id, at
-- reads regions writes stores
INSERT INTO stores (name, region_id) VALUES ('a', NULL)
-- reads - writes stores
INSERT OR IGNORE INTO stores (id, name, region_id) VALUES (1, 'a', NULL)
-- reads stores writes stores
INSERT OR REPLACE INTO stores (id, name, region_id) VALUES (77, 'a', NULL)
-- reads - writes stock log
INSERT INTO stock (store_id, sku, quantity) VALUES (1, 'a', 1) ON CONFLICT (store_id, sku) DO UPDATE SET quantity = 2
-- reads - writes stock
INSERT INTO stock (store_id, sku, quantity) VALUES (1, 'a', 1) ON CONFLICT DO NOTHING
-- reads moves writes stock log
INSERT INTO stock (store_id, sku, quantity) SELECT 1, sku, delta FROM moves WHERE true ON CONFLICT DO UPDATE SET quantity = excluded.quantity WHERE (SELECT count(*) FROM moves) > 0
-- reads - writes stock moves log
INSERT INTO new_stock VALUES (1, 'a', 3)
-- reads moves writes stock moves log
INSERT INTO new_stock SELECT 1, sku, delta FROM moves
-- reads - writes regions
INSERT INTO regions (name) VALUES ('a'), ('b')
-- reads invoices items accounts writes payments accounts audit stats
INSERT INTO payments (invoice_id, cents) SELECT NULL, price FROM items
-- reads - writes notes note_search
INSERT INTO notes SELECT NULL, 'a', 'b'
-- reads - writes audit
INSERT INTO audit (what) VALUES ('a') RETURNING *
-- reads - writes stats
INSERT INTO stats (key, n) VALUES ('a', 1) ON CONFLICT (key) DO UPDATE SET n = excluded.n RETURNING n
-- reads customers writes stats
REPLACE INTO stats SELECT name, id FROM customers WHERE name IS NOT NULL

-- UPDATE. Source: sqlite.org/lang_update.html.
-- reads - writes moves
UPDATE moves SET delta = delta + 1
-- reads - writes moves
UPDATE OR IGNORE moves SET delta = 2 WHERE sku = 'a'
-- reads stock writes moves
UPDATE moves SET delta = (SELECT sum(quantity) FROM stock WHERE stock.sku = moves.sku)
-- reads stock stores writes moves
UPDATE moves SET delta = k.quantity FROM stock k JOIN stores s ON s.id = k.store_id WHERE k.sku = moves.sku
-- reads stores writes moves
UPDATE moves AS m SET sku = 'b' WHERE EXISTS (SELECT 1 FROM stores WHERE id = m.id) RETURNING id
-- reads stock writes moves
WITH big AS (SELECT sku FROM stock WHERE quantity > 5) UPDATE moves SET delta = 0 WHERE sku IN big
-- reads - writes moves
UPDATE moves SET (sku, delta) = ('a', 1) WHERE id = 1
-- reads stock writes moves
UPDATE moves SET (sku, delta) = (SELECT sku, quantity FROM stock LIMIT 1) WHERE id = 1
-- reads - writes stock log
UPDATE stock SET quantity = 3 WHERE sku = 'a'
-- reads - writes stock
UPDATE stock SET sku = 'b' WHERE sku = 'a'
-- reads stock writes stock log
UPDATE new_stock SET quantity = 1 WHERE sku = 'a'
-- reads - writes stores
UPDATE stores SET name = 'b' WHERE id = 1
-- reads regions writes stores
UPDATE stores SET region_id = NULL WHERE id = 1
-- reads stores writes regions stores
UPDATE regions SET id = id + 100
-- reads - writes regions
UPDATE regions SET name = 'b'
-- reads - writes accounts stats
UPDATE accounts SET balance = balance * 2, name = 'b'
-- reads - writes accounts
UPDATE accounts SET parent_id = 1 WHERE id = 2
-- reads items writes invoices
UPDATE invoices SET total = (SELECT coalesce(sum(price), 0) FROM items WHERE invoice_id = invoices.id)
-- reads items payments writes invoices
UPDATE invoices SET id = id + 1000
-- reads invoices writes customers
UPDATE customers SET city = 'Ulm' WHERE name IN (SELECT name FROM open_invoices)
-- reads - writes Order
UPDATE "Order" SET "select" = 'x'
-- reads - writes notes
UPDATE notes SET title = 'b'

-- DELETE: cascades two levels deep, SET DEFAULT, triggers, the truncate optimisation. Source: foreignkeys.html.
-- reads - writes log
DELETE FROM log
-- reads - writes log
DELETE FROM log WHERE n = 1 RETURNING what
-- reads stats writes moves
DELETE FROM moves
-- reads stats writes moves
DELETE FROM moves WHERE sku = 'a'
-- reads stores stats writes moves
DELETE FROM moves WHERE sku IN (SELECT name FROM stores)
-- reads - writes regions stores log
DELETE FROM regions WHERE id = 3
-- reads - writes regions stores log
DELETE FROM regions
-- reads stock writes stores
DELETE FROM stores WHERE id = 9
-- reads - writes stock
DELETE FROM stock
-- reads stores writes stock
DELETE FROM stock WHERE store_id IN (SELECT id FROM stores WHERE name = 'a')
-- reads - writes invoices items payments
DELETE FROM invoices
-- reads - writes invoices items payments
DELETE FROM invoices WHERE number = 'R-1' RETURNING id
-- reads customers writes invoices items payments
DELETE FROM invoices WHERE customer_id IN (SELECT id FROM customers)
-- reads invoices writes customers invoices items payments
WITH idle AS (SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM invoices)) DELETE FROM customers WHERE id IN idle
-- reads - writes items
DELETE FROM items WHERE price > 3
-- reads - writes payments
DELETE FROM payments
-- reads customers invoices writes invoices
DELETE FROM open_invoices
-- reads - writes audit
DELETE FROM audit
-- reads - writes notes
DELETE FROM notes
-- reads - writes stats
DELETE FROM stats WHERE key = 'a'

-- What never happens still counts for the engine; what only looks like a name does not.
-- reads stores
SELECT 'stock' FROM stores
-- reads stores
SELECT id AS stock FROM stores ORDER BY stock
-- reads stores
SELECT stores.name AS "moves" FROM stores
-- reads -
SELECT 'SELECT * FROM stores', "stock" FROM (SELECT 1 AS stock)
-- reads -
SELECT sqlite_version(), random(), last_insert_rowid(), changes()
-- reads -
VALUES (1, 'stores'), (2, 'stock')
-- reads stock
SELECT * FROM stock WHERE NULL
-- reads moves
SELECT * FROM moves WHERE 1 = 0
-- reads moves
SELECT * FROM moves WHERE id IN ()
-- reads - writes log
INSERT INTO log SELECT 1, 'a' WHERE 0
-- reads - writes log
UPDATE log SET n = 1 WHERE 0
-- reads - writes log
DELETE FROM log WHERE 0

-- Functions of the engine that take a name are no access to a table.
-- reads -
SELECT * FROM pragma_foreign_key_list('stock')
-- reads -
SELECT m.name FROM pragma_index_list('moves') AS m
