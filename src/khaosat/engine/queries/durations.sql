-- How long dossiers take from the beginning of their first step to the last moment of their steps.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, n, timed (dossiers of which it is known), mean_us, median_us, p90_us, max_us (calendar microseconds),
--   mean_worked, median_worked, p90_worked (worked seconds, of dossiers with moments that all lie within the
--   calendar's years), moments (dossiers whose steps all lie in one moment).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); whole, or start <= t < finish, in which
--   the dossier's last step ended. The table walks.
WITH lives AS (
  SELECT {by_source} lasted_us, lasted_seconds
  FROM walks spans {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} count(*) AS n, count(lasted_us) AS timed,
  CAST(sum(CASE WHEN lasted_us = 0 THEN 1 ELSE 0 END) AS BIGINT) AS moments,
  max(lasted_us) AS max_us, avg(CAST(lasted_us AS DOUBLE)) AS mean_us, median(CAST(lasted_us AS DOUBLE)) AS median_us,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(lasted_us AS DOUBLE)) AS p90_us,
  avg(CAST(lasted_seconds AS DOUBLE)) AS mean_worked, median(CAST(lasted_seconds AS DOUBLE)) AS median_worked,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(lasted_seconds AS DOUBLE)) AS p90_worked
FROM lives
{group_by}
