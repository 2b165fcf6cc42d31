-- How many days dossiers are given from their reception to their deadline.
-- Grain: one row a number of days.
-- Columns: term (days from the reception to the deadline; null without one or outside the calendar), n.
-- Parameters: dossiers and due (which deadline); start <= t < finish is the time of reception; working, whether working
--   days are counted or all.
WITH numbered AS (
  SELECT office, day, day_index, ROW_NUMBER() OVER (PARTITION BY office ORDER BY day ASC NULLS LAST) AS day_number
  FROM calendar
),
cases AS (
  SELECT responsible_unit AS at_unit, received_at AS began_at, {due} AS deadline
  FROM {dossiers}
  WHERE received_at >= {start} AND received_at < {finish}
),
given AS (
  SELECT CAST(CASE WHEN {working} THEN c1.day_index - c0.day_index ELSE c1.day_number - c0.day_number END AS BIGINT) AS term
  FROM cases
  LEFT JOIN offices ON at_unit = offices.unit
  LEFT JOIN numbered c0 ON COALESCE(offices.office, '') = c0.office AND CAST(began_at AS DATE) = c0.day
  LEFT JOIN numbered c1 ON COALESCE(offices.office, '') = c1.office AND CAST(deadline AS DATE) = c1.day
)
SELECT term, count(*) AS n
FROM given
GROUP BY term
