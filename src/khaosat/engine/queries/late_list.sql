-- The latest of the late: dossiers closed late in the period, or open and overdue at its end.
-- Grain: one row a dossier, at most `top` of them, the latest first.
-- Columns: dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status,
--   received_at, deadline, reason (why the deadline is not the first appointment), closed_at (null: open at the end),
--   working_days_late, worked_seconds_late (office time from the deadline to the end), and the unit, step and officer
--   of its last step.
-- Parameters: dossiers, due and reason (which deadline); ended; start <= t < finish is the period; now, at which open
--   dossiers are judged; last, the last moment of the period; as_of, the snapshot; top.
WITH cases AS (
  SELECT dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at,
    {due} AS deadline, {reason} AS reason,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM {dossiers}
  WHERE received_at < {finish}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
late AS (
  SELECT cases.*, COALESCE(closed_at, {last}) AS judged_at, COALESCE(offices.office, '') AS office
  FROM cases LEFT JOIN offices ON responsible_unit = offices.unit
  WHERE (closed_at >= {start} AND closed_at > deadline) OR (closed_at IS NULL AND deadline < {now})
),
-- The office clock: seconds of the day clipped to its sessions, after the office minutes of the days before.
seconds AS (
  SELECT late.*,
    CAST(EXTRACT(HOUR FROM deadline) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM deadline) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM deadline)) AS BIGINT) AS due_second,
    CAST(EXTRACT(HOUR FROM judged_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM judged_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM judged_at)) AS BIGINT) AS judged_second
  FROM late
),
clocked AS (
  SELECT seconds.*, CAST(c1.day_index - c0.day_index AS BIGINT) AS working_days_late,
    c1.cum_minutes * 60 + GREATEST(LEAST(judged_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(judged_second, c1.close_2 * 60) - c1.open_2 * 60, 0)
      - (c0.cum_minutes * 60 + GREATEST(LEAST(due_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(due_second, c0.close_2 * 60) - c0.open_2 * 60, 0)) AS worked_seconds_late
  FROM seconds
  LEFT JOIN calendar c0 ON seconds.office = c0.office AND CAST(deadline AS DATE) = c0.day
  LEFT JOIN calendar c1 ON seconds.office = c1.office AND CAST(judged_at AS DATE) = c1.day
),
listed AS (
  SELECT * FROM clocked ORDER BY working_days_late DESC NULLS LAST, deadline ASC NULLS LAST, dossier_id ASC NULLS LAST
  LIMIT {top}
),
numbered AS (
  SELECT listed.*, steps.unit, steps.step, steps.officer,
    ROW_NUMBER() OVER (PARTITION BY listed.dossier_id ORDER BY steps.seq DESC NULLS LAST) AS nth
  FROM listed LEFT JOIN steps ON listed.dossier_id = steps.dossier_id
)
SELECT dossier_id, procedure, procedure_name, field, receiving_unit, responsible_unit, channel, status, received_at,
  deadline, reason, closed_at, working_days_late, worked_seconds_late, unit, step, officer
FROM numbered
WHERE nth = 1
ORDER BY working_days_late DESC NULLS LAST, deadline ASC NULLS LAST, dossier_id ASC NULLS LAST
