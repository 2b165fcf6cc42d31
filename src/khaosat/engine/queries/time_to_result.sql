-- How many days dossiers waited for their end, or have waited without one.
-- Grain: one row a group of `by`, outcome and number of days.
-- Columns: by…, outcome (open, result, or the status of an end without result), days (after the day of reception, up to
--   and including that of the end or of the snapshot; negative where the end lies before the reception, null outside the
--   calendar), n.
-- Parameters: by; start <= t < finish is the time of reception; known, the first moment the log knows nothing of; last,
--   the moment before it; ended (statuses) and competing, those of them that are no result; working, whether working
--   days are counted or all.
WITH numbered AS (
  SELECT office, day, day_index, ROW_NUMBER() OVER (PARTITION BY office ORDER BY day ASC NULLS LAST) AS day_number
  FROM calendar
),
cases AS (
  SELECT {by_source} responsible_unit AS at_unit, received_at AS began_at, COALESCE(status, '') AS end_status,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at >= {start} AND received_at < {finish}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
waits AS (
  SELECT {by}
    CASE WHEN closed_at IS NULL THEN 'open' WHEN end_status IN ({competing}) THEN end_status ELSE 'result' END AS outcome,
    CAST(CASE WHEN {working} THEN c1.day_index - c0.day_index ELSE c1.day_number - c0.day_number END AS BIGINT) AS days
  FROM cases
  LEFT JOIN offices ON at_unit = offices.unit
  LEFT JOIN numbered c0 ON COALESCE(offices.office, '') = c0.office AND CAST(began_at AS DATE) = c0.day
  LEFT JOIN numbered c1
    ON COALESCE(offices.office, '') = c1.office AND CAST(COALESCE(closed_at, {last}) AS DATE) = c1.day
)
SELECT {by} outcome, days, count(*) AS n
FROM waits
GROUP BY {by} outcome, days
