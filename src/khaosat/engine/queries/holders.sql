-- How many steps are nobody's.
-- Grain: one row.
-- Columns: steps, nobody (steps without a holder), dossiers (whose last step ended in the period).
-- Parameters: of, whose hands count; nobody, names in lower case that stand for nobody; whole, or start <= t < finish, in
--   which a step ended.
SELECT count(*) AS steps,
  count(CASE WHEN {of} IS NULL OR lower(trim({of})) IN ({nobody}) THEN 1 END) AS nobody,
  COALESCE(CAST(sum(is_last) AS BIGINT), 0) AS dossiers
FROM spans
WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
