-- Steps to which dossiers come back.
-- Grain: one row a group of `by` and step.
-- Columns: by…, step, n (dossiers that were at the step), dossiers (of them, those that were there more than once),
--   repeats (visits after the first).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); whole, or start <= t < finish, in which
--   the dossier's last visit of the step ended.
WITH stays AS (
  SELECT dossier_id, step AS place, 1 AS times, ended_at FROM spans WHERE visits = 1
  UNION ALL
  SELECT dossier_id, step AS place, count(*) AS times, max(ended_at) AS ended_at
  FROM spans
  WHERE visits > 1
  GROUP BY dossier_id, step
),
places AS (
  SELECT {by_source} place, times
  FROM stays spans {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} place AS step, count(*) AS n,
  CAST(sum(CASE WHEN times > 1 THEN 1 ELSE 0 END) AS BIGINT) AS dossiers, CAST(sum(times - 1) AS BIGINT) AS repeats
FROM places
GROUP BY {by} place
HAVING CAST(sum(times - 1) AS BIGINT) > 0
