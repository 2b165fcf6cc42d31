-- Which step follows which, how often, and how long after it.
-- Grain: one row a group of `by` and pair of neighbouring steps.
-- Columns: by…, source, target, n, mean_us, median_us (calendar time from the end of the one to the beginning of the
--   other), timed (pairs of which that is known), mean_worked, median_worked (the same in worked seconds).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); whole, or start <= t < finish, in which
--   the second step ended.
WITH pairs AS (
  SELECT {by_source} previous_step AS source, step AS target, gap_us, gap_seconds
  FROM spans {with_dossiers}
  WHERE seq > 1 AND ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} source, target, count(*) AS n, count(gap_us) AS timed,
  avg(CAST(gap_us AS DOUBLE)) AS mean_us, median(CAST(gap_us AS DOUBLE)) AS median_us,
  avg(CAST(gap_seconds AS DOUBLE)) AS mean_worked, median(CAST(gap_seconds AS DOUBLE)) AS median_worked
FROM pairs
GROUP BY {by} source, target
