-- Where the time of each step goes: waiting before it begins, handling, and pauses at the applicant's.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, n, begun (steps with a start and no end), and of queueing (worked seconds before the beginning, less
--   pauses), handling (less pauses) and paused: <part>_n, <part>_mean, <part>_median, <part>_p90 and <part>_sum; due
--   (ended steps with a due date), late (of them, those that ended after it).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); whole, or start <= t < finish, in which
--   the step ended. The table pauses.
WITH parted AS (
  SELECT {by_source}
    waiting_seconds - COALESCE(of_waiting, 0) AS queueing,
    handling_seconds - COALESCE(of_handling, 0) AS handling,
    CASE WHEN waiting_seconds IS NOT NULL THEN COALESCE(of_waiting, 0) + COALESCE(of_handling, 0) END AS paused,
    CASE WHEN started_at IS NOT NULL AND spans.finished_at IS NULL THEN 1 ELSE 0 END AS is_begun,
    CASE WHEN spans.finished_at IS NOT NULL AND step_due_at IS NOT NULL THEN 1 ELSE 0 END AS has_due,
    CASE WHEN spans.finished_at > step_due_at THEN 1 ELSE 0 END AS is_late
  FROM spans LEFT JOIN pauses ON spans.dossier_id = pauses.dossier_id AND spans.seq = pauses.seq {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
)
SELECT {by} count(*) AS n, CAST(sum(is_begun) AS BIGINT) AS begun,
  CAST(sum(has_due) AS BIGINT) AS due, CAST(sum(is_late) AS BIGINT) AS late,
  count(queueing) AS queueing_n, CAST(sum(queueing) AS BIGINT) AS queueing_sum,
  avg(CAST(queueing AS DOUBLE)) AS queueing_mean, median(CAST(queueing AS DOUBLE)) AS queueing_median,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(queueing AS DOUBLE)) AS queueing_p90,
  count(handling) AS handling_n, CAST(sum(handling) AS BIGINT) AS handling_sum,
  avg(CAST(handling AS DOUBLE)) AS handling_mean, median(CAST(handling AS DOUBLE)) AS handling_median,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(handling AS DOUBLE)) AS handling_p90,
  count(paused) AS paused_n, CAST(sum(paused) AS BIGINT) AS paused_sum,
  avg(CAST(paused AS DOUBLE)) AS paused_mean, median(CAST(paused AS DOUBLE)) AS paused_median,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(paused AS DOUBLE)) AS paused_p90
FROM parted
{group_by}
