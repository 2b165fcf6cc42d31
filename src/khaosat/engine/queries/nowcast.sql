-- Terms and waits of recent dossiers: what is known of a period, and from what the rest of it can be told.
-- Grain: one row a group of `by`, whether received in the period, term, days, whether ended and whether in time.
-- Columns: by…, of_period (1: received in the period), term (days from the reception to the deadline; null without one),
--   days (from the reception to the end, or to the last whole day of the log), is_closed, in_time (1: ended by the
--   deadline, to the microsecond), expired (1: the deadline has passed), n.
-- Parameters: by; dossiers and due (which deadline); since <= t is the time of reception; start <= t < finish is the
--   period; known, the first moment the log knows nothing of; last, the last moment of its last whole day; as_of, the
--   snapshot; ended (statuses); working, whether working days are counted or all.
WITH numbered AS (
  SELECT office, day, day_index, ROW_NUMBER() OVER (PARTITION BY office ORDER BY day ASC NULLS LAST) AS day_number
  FROM calendar
),
cases AS (
  SELECT {by_source} responsible_unit AS at_unit, received_at AS began_at, {due} AS deadline,
    CASE WHEN received_at >= {start} AND received_at < {finish} THEN 1 ELSE 0 END AS of_period,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM {dossiers}
  WHERE received_at >= {since} AND received_at < {known}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
waits AS (
  SELECT {by} of_period,
    CAST(CASE WHEN {working} THEN c2.day_index - c0.day_index ELSE c2.day_number - c0.day_number END AS BIGINT) AS term,
    CAST(CASE WHEN {working} THEN c1.day_index - c0.day_index ELSE c1.day_number - c0.day_number END AS BIGINT) AS days,
    CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END AS is_closed,
    CASE WHEN closed_at <= deadline THEN 1 ELSE 0 END AS in_time,
    CASE WHEN deadline < {as_of} THEN 1 ELSE 0 END AS expired
  FROM cases
  LEFT JOIN offices ON at_unit = offices.unit
  LEFT JOIN numbered c0 ON COALESCE(offices.office, '') = c0.office AND CAST(began_at AS DATE) = c0.day
  LEFT JOIN numbered c1
    ON COALESCE(offices.office, '') = c1.office AND CAST(COALESCE(closed_at, {last}) AS DATE) = c1.day
  LEFT JOIN numbered c2 ON COALESCE(offices.office, '') = c2.office AND CAST(deadline AS DATE) = c2.day
)
SELECT {by} of_period, term, days, is_closed, in_time, expired, count(*) AS n
FROM waits
GROUP BY {by} of_period, term, days, is_closed, in_time, expired
