-- How the ends of steps lie in the week and in the day.
-- Grain: one row a group of `by`, day of the week, and number of ends in a day.
-- Columns: by…, weekday (0: Monday), per_day (ends in one day), days (days with so many), together (ends in these days
--   that share their minute with another of the group), first_day, last_day.
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); every, or names of steps in lower case
--   whose ends count; start <= t < finish is the period in which a step ended.
WITH ends AS (
  SELECT {by_source} CAST(spans.finished_at AS DATE) AS day, date_trunc('minute', spans.finished_at) AS minute
  FROM spans {with_dossiers}
  WHERE spans.finished_at >= {start} AND spans.finished_at < {finish} AND ({every} OR lower(trim(step)) IN ({names}))
),
minutes AS (
  SELECT {by} day, minute, count(*) AS n FROM ends GROUP BY {by} day, minute
),
days AS (
  SELECT {by} day, CAST(sum(n) AS BIGINT) AS per_day,
    CAST(sum(CASE WHEN n > 1 THEN n ELSE 0 END) AS BIGINT) AS together
  FROM minutes
  GROUP BY {by} day
),
-- 1970-01-01 was a Thursday; right from 1901 to 2099.
named AS (
  SELECT {by} day, per_day, together,
    (365 * (CAST(EXTRACT(YEAR FROM day) AS BIGINT) - 1970) + CAST(EXTRACT(DOY FROM day) AS BIGINT) + 2
      + CAST(floor(CAST(CAST(EXTRACT(YEAR FROM day) AS BIGINT) - 1969 AS DOUBLE) * CAST(0.25 AS DOUBLE)) AS BIGINT)) % 7
      AS weekday
  FROM days
)
SELECT {by} weekday, per_day, count(*) AS days, CAST(sum(together) AS BIGINT) AS together,
  min(day) AS first_day, max(day) AS last_day
FROM named
GROUP BY {by} weekday, per_day
