-- From whom to whom dossiers pass. Steps of nobody are passed over: a dossier goes from the last known holder to the next.
-- The neighbours that `spans` has are those of dossiers all of whose steps have a holder; only the others are put in order.
-- Grain: one row a group of `by` and pair of holders (the same one twice where a dossier stays).
-- Columns: by…, source, target, n.
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); of, whose hands count; nobody, names in
--   lower case that stand for nobody; whole, or start <= t < finish, in which the step of the target ended.
WITH gappy AS (
  SELECT DISTINCT dossier_id FROM spans WHERE {of} IS NULL OR lower(trim({of})) IN ({nobody})
),
held AS (
  SELECT spans.dossier_id, seq, {of} AS target, ended_at,
    LAG({of}) OVER (PARTITION BY spans.dossier_id ORDER BY seq ASC NULLS LAST) AS source
  FROM spans JOIN gappy ON spans.dossier_id = gappy.dossier_id
  WHERE {of} IS NOT NULL AND lower(trim({of})) NOT IN ({nobody})
),
near AS (
  SELECT spans.dossier_id, seq, previous_{of} AS source, {of} AS target, ended_at
  FROM spans LEFT JOIN gappy ON spans.dossier_id = gappy.dossier_id
  WHERE seq > 1 AND gappy.dossier_id IS NULL
  UNION ALL
  SELECT dossier_id, seq, source, target, ended_at FROM held WHERE source IS NOT NULL
),
pairs AS (
  SELECT {by_source} source, target
  FROM near spans {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} source, target, count(*) AS n
FROM pairs
GROUP BY {by} source, target
