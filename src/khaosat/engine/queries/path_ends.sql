-- With which steps dossiers begin and end.
-- Grain: one row a group of `by` and step.
-- Columns: by…, step, starts (dossiers whose first step it is), ends (whose last recorded step it is).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); whole, or start <= t < finish, in which
--   the step ended.
WITH edges AS (
  SELECT {by_source} step AS edge, CASE WHEN seq = 1 THEN 1 ELSE 0 END AS is_first, is_last
  FROM spans {with_dossiers}
  WHERE (seq = 1 OR is_last = 1) AND ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} edge AS step, CAST(sum(is_first) AS BIGINT) AS starts, CAST(sum(is_last) AS BIGINT) AS ends
FROM edges
GROUP BY {by} edge
