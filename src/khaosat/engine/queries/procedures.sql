-- Which procedures have the most dossiers.
-- Grain: one row a procedure, at most `top` of them, the most frequent first.
-- Columns: procedure, procedure_name (the last in order of letters, should a code have several), n.
-- Parameters: start <= t < finish is the time of reception; top.
SELECT procedure, max(procedure_name) AS procedure_name, count(*) AS n
FROM dossiers
WHERE received_at >= {start} AND received_at < {finish} AND procedure IS NOT NULL AND procedure <> ''
GROUP BY procedure
ORDER BY n DESC NULLS LAST, procedure ASC NULLS LAST
LIMIT {top}
