-- The latest of the late: dossiers closed late in the period, or open and overdue at its end.
-- Grain: one row a dossier, at most `top` of them, the latest first.
-- Columns: dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at,
--   deadline, closed_at (null: open at the end), working_days_late, and the unit, step and officer of its last step.
-- Parameters: due; ended; start <= t < finish is the period; now, at which open dossiers are judged; last,
--   the last moment of the period; top.
WITH cases AS (
  SELECT dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at,
    {due} AS deadline,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at < {finish} AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
late AS (
  SELECT cases.*, CAST(c1.day_index - c0.day_index AS BIGINT) AS working_days_late
  FROM cases
  LEFT JOIN calendar c0 ON CAST(deadline AS DATE) = c0.day
  LEFT JOIN calendar c1 ON CAST(COALESCE(closed_at, {last}) AS DATE) = c1.day
  WHERE (closed_at >= {start} AND closed_at > deadline) OR (closed_at IS NULL AND deadline < {now})
),
listed AS (
  SELECT * FROM late ORDER BY working_days_late DESC NULLS LAST, deadline ASC NULLS LAST, dossier_id ASC NULLS LAST
  LIMIT {top}
),
numbered AS (
  SELECT listed.*, steps.unit, steps.step, steps.officer,
    ROW_NUMBER() OVER (PARTITION BY listed.dossier_id ORDER BY steps.seq DESC NULLS LAST) AS nth
  FROM listed LEFT JOIN steps ON listed.dossier_id = steps.dossier_id
)
SELECT dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at,
  deadline, closed_at, working_days_late, unit, step, officer
FROM numbered
WHERE nth = 1
ORDER BY working_days_late DESC NULLS LAST, deadline ASC NULLS LAST, dossier_id ASC NULLS LAST
