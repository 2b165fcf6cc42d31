-- Dossiers that come straight back: from one holder to another, and from there, when it has been with that one for any
-- number of steps, to the first again. Steps of nobody are passed over, as in handovers.sql.
-- Grain: one row a group of `by` and pair of holders.
-- Columns: by…, source, target, returns (handovers from source to target after which the next other holder is the source
--   again), dossiers (of them, those that are the first such in their dossier).
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
  WHERE seq > 1 AND gappy.dossier_id IS NULL AND previous_{of} <> {of}
  UNION ALL
  SELECT dossier_id, seq, source, target, ended_at FROM held WHERE source IS NOT NULL AND source <> target
),
moves AS (
  SELECT dossier_id, seq, source, target, ended_at,
    LEAD(target) OVER (PARTITION BY dossier_id ORDER BY seq ASC NULLS LAST) AS onward
  FROM near
),
back AS (
  SELECT dossier_id, source, target,
    ROW_NUMBER() OVER (PARTITION BY dossier_id ORDER BY seq ASC NULLS LAST) AS nth
  FROM moves
  WHERE onward = source AND ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
),
pairs AS (
  SELECT {by_source} source, target, nth
  FROM back spans {with_dossiers}
)
SELECT {by} source, target, count(*) AS returns, CAST(sum(CASE WHEN nth = 1 THEN 1 ELSE 0 END) AS BIGINT) AS dossiers
FROM pairs
GROUP BY {by} source, target
