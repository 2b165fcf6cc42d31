-- The commonest paths of dossiers through their steps.
-- Grain: one row a group of `by` and path, the `top` commonest of each group.
-- Columns: by…, example (a dossier of the path, by which to look it up), length, n, variants (different paths in the
--   group), dossiers (in the group), median_us, median_worked (of the dossiers' lasted_us and lasted_seconds).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); top; whole, or start <= t < finish, in
--   which the dossier's last step ended. The table walks.
WITH paths AS (
  SELECT {by_source} spans.dossier_id, length, a, b, c, lasted_us, lasted_seconds
  FROM walks spans {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
),
groups AS (
  SELECT {by} length, a, b, c, count(*) AS n, min(dossier_id) AS example,
    median(CAST(lasted_us AS DOUBLE)) AS median_us, median(CAST(lasted_seconds AS DOUBLE)) AS median_worked
  FROM paths
  GROUP BY {by} length, a, b, c
),
ranked AS (
  SELECT {by} length, n, example, median_us, median_worked,
    ROW_NUMBER() OVER (PARTITION BY {by} 1 ORDER BY n DESC NULLS LAST, example ASC NULLS LAST) AS place,
    count(*) OVER (PARTITION BY {by} 1) AS variants,
    CAST(sum(n) OVER (PARTITION BY {by} 1) AS BIGINT) AS dossiers
  FROM groups
)
SELECT {by} example, CAST(length AS BIGINT) AS length, n, variants, dossiers, median_us, median_worked
FROM ranked
WHERE place <= {top}
ORDER BY {by} place ASC NULLS LAST
