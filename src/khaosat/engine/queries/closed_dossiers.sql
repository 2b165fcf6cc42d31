-- The table `closed_dossiers`: the dossiers closed in a period that have a deadline, and what the clock of their office says.
-- Grain: one row a dossier.
-- Columns: dossier_id, procedure_key (procedure, else its name), closed_at, is_late (closed after the deadline); in worked
--   seconds lasted (reception to end), overrun (deadline to end), term (reception to deadline; 0 for a deadline before
--   reception), moved (by how much the deadline lies after the first appointment); null outside the calendar.
-- Parameters: dossiers and due (which deadline); start <= t < finish, in which the dossier was closed.
WITH ends AS (
  SELECT dossier_id, COALESCE(procedure, procedure_name, '') AS procedure_key, COALESCE(offices.office, '') AS office,
    received_at, {due} AS deadline, COALESCE(first_due_at, due_at) AS first_deadline,
    COALESCE(finished_at, returned_at) AS closed_at
  FROM {dossiers} LEFT JOIN offices ON responsible_unit = offices.unit
  WHERE {due} IS NOT NULL AND received_at <= COALESCE(finished_at, returned_at)
    AND COALESCE(finished_at, returned_at) >= {start} AND COALESCE(finished_at, returned_at) < {finish}
),
seconds AS (
  SELECT ends.*,
    CAST(EXTRACT(HOUR FROM received_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM received_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM received_at)) AS BIGINT) AS received_second,
    CAST(EXTRACT(HOUR FROM deadline) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM deadline) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM deadline)) AS BIGINT) AS due_second,
    CAST(EXTRACT(HOUR FROM first_deadline) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM first_deadline) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM first_deadline)) AS BIGINT) AS first_second,
    CAST(EXTRACT(HOUR FROM closed_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM closed_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM closed_at)) AS BIGINT) AS closed_second
  FROM ends
),
readings AS (
  SELECT dossier_id, procedure_key, deadline, closed_at,
    c0.cum_minutes * 60 + GREATEST(LEAST(received_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(received_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS received_seconds,
    c1.cum_minutes * 60 + GREATEST(LEAST(due_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(due_second, c1.close_2 * 60) - c1.open_2 * 60, 0) AS due_seconds,
    c2.cum_minutes * 60 + GREATEST(LEAST(first_second, c2.close_1 * 60) - c2.open_1 * 60, 0)
      + GREATEST(LEAST(first_second, c2.close_2 * 60) - c2.open_2 * 60, 0) AS first_seconds,
    c3.cum_minutes * 60 + GREATEST(LEAST(closed_second, c3.close_1 * 60) - c3.open_1 * 60, 0)
      + GREATEST(LEAST(closed_second, c3.close_2 * 60) - c3.open_2 * 60, 0) AS closed_seconds
  FROM seconds
  LEFT JOIN calendar c0 ON seconds.office = c0.office AND CAST(received_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON seconds.office = c1.office AND CAST(deadline AS DATE) = c1.day
  LEFT JOIN calendar c2 ON seconds.office = c2.office AND CAST(first_deadline AS DATE) = c2.day
  LEFT JOIN calendar c3 ON seconds.office = c3.office AND CAST(closed_at AS DATE) = c3.day
)
SELECT dossier_id, procedure_key, closed_at, CASE WHEN closed_at > deadline THEN 1 ELSE 0 END AS is_late,
  closed_seconds - received_seconds AS lasted,
  CASE WHEN due_seconds > received_seconds THEN closed_seconds - due_seconds
    WHEN due_seconds <= received_seconds THEN closed_seconds - received_seconds END AS overrun,
  CASE WHEN due_seconds > received_seconds THEN due_seconds - received_seconds
    WHEN due_seconds <= received_seconds THEN 0 END AS term,
  CASE WHEN due_seconds > first_seconds AND due_seconds > received_seconds
    THEN due_seconds - GREATEST(first_seconds, received_seconds) ELSE 0 END AS moved
FROM readings
