-- The table `spans`: the steps of every dossier in order, each with its neighbours and the clocks of its moments.
-- All verbs on steps read it. It is made once a log, or kept in the store: order and clock are what costs.
-- Grain: one row a step.
-- Columns:
--   dossier_id, seq (1, 2, … without gaps or ties: the source's seq, then the moments, then the words of the step),
--   step, unit, officer, step_status, step_due_at, started_at, finished_at as recorded,
--   began_at (the start, else the end), ended_at (the end, else the start; the start too where the end lies before it),
--   previous_step, previous_unit, previous_officer, next_step, next_unit, next_officer, next_started_at (began_at of the
--     next step): the neighbours by seq, null before the first and after the last; is_last, 1 for the last step,
--   visits: how often the dossier is at a step of this name in all, so that steps that come again are few rows to look at,
--   began_us, ended_us: the moments as calendar microseconds since 1970, so that differences are exact,
--   gap_us: calendar time from the end of the previous step to the beginning of this one; 0 where they overlap, null for
--     the first step,
--   office, arrived_seconds, began_seconds, ended_seconds: readings of the clock of the unit's office (worked seconds
--     before a moment; only differences mean something), where a step has arrived when all before it has ended, the
--     reception first of all,
--   gap_seconds: as gap_us, in worked time,
--   waiting_seconds: worked time from arrival to beginning; 0 where something earlier still runs,
--   handling_seconds: worked time from start to end; null where not both are recorded in this order,
--   concurrent_seconds: worked time between beginning and end in which something earlier still ran, or before reception.
--     Over the steps of a dossier sum(waiting + handling - concurrent) is the worked time from its reception to the last
--     moment of its steps, if every step has a start and an end and its units keep the same hours.
--   Waiting and handling hold pauses too: the table `pauses` says how much of them. Worked time is in whole seconds, and
--   null outside the calendar's years.
-- Parameters: none.
WITH recorded AS (
  SELECT dossier_id, seq, step, unit, officer, status AS step_status, due_at AS step_due_at, started_at, finished_at,
    COALESCE(started_at, finished_at) AS began_at,
    CASE WHEN finished_at < started_at THEN started_at ELSE COALESCE(finished_at, started_at) END AS ended_at
  FROM steps
),
-- Moments in parts: days since 1970 (right from 1901 to 2099), seconds of the day, and the microseconds after them, which
-- every engine tells alike only in the text of a moment.
parts AS (
  SELECT recorded.*,
    365 * (CAST(EXTRACT(YEAR FROM began_at) AS BIGINT) - 1970) + CAST(EXTRACT(DOY FROM began_at) AS BIGINT) - 1
      + CAST(floor(CAST(CAST(EXTRACT(YEAR FROM began_at) AS BIGINT) - 1969 AS DOUBLE) * CAST(0.25 AS DOUBLE)) AS BIGINT) AS began_days,
    CAST(EXTRACT(HOUR FROM began_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM began_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM began_at)) AS BIGINT) AS began_second,
    CASE WHEN date_trunc('second', began_at) = began_at THEN 0
      ELSE CAST(rpad(substring(CAST(began_at AS VARCHAR(32)), 21), 6, '0') AS BIGINT) END AS began_fraction,
    365 * (CAST(EXTRACT(YEAR FROM ended_at) AS BIGINT) - 1970) + CAST(EXTRACT(DOY FROM ended_at) AS BIGINT) - 1
      + CAST(floor(CAST(CAST(EXTRACT(YEAR FROM ended_at) AS BIGINT) - 1969 AS DOUBLE) * CAST(0.25 AS DOUBLE)) AS BIGINT) AS ended_days,
    CAST(EXTRACT(HOUR FROM ended_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM ended_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM ended_at)) AS BIGINT) AS ended_second,
    CASE WHEN date_trunc('second', ended_at) = ended_at THEN 0
      ELSE CAST(rpad(substring(CAST(ended_at AS VARCHAR(32)), 21), 6, '0') AS BIGINT) END AS ended_fraction
  FROM recorded
),
moments AS (
  SELECT dossier_id, seq, step, unit, officer, step_status, step_due_at, started_at, finished_at,
    began_at, began_second, began_days * 86400000000 + began_second * 1000000 + began_fraction AS began_us,
    ended_at, ended_second, ended_days * 86400000000 + ended_second * 1000000 + ended_fraction AS ended_us
  FROM parts
),
ordered AS (
  SELECT dossier_id, step, unit, officer, step_status, step_due_at, started_at, finished_at,
    began_at, began_second, began_us, ended_at, ended_second, ended_us,
    CAST(ROW_NUMBER() OVER line AS INT) AS seq,
    LAG(step) OVER line AS previous_step,
    LAG(unit) OVER line AS previous_unit,
    LAG(officer) OVER line AS previous_officer,
    LAG(ended_at) OVER line AS previous_at,
    LAG(ended_second) OVER line AS previous_second,
    LAG(ended_us) OVER line AS previous_us,
    LEAD(step) OVER line AS next_step,
    LEAD(unit) OVER line AS next_unit,
    LEAD(officer) OVER line AS next_officer,
    LEAD(began_at) OVER line AS next_started_at,
    CASE WHEN LEAD(dossier_id) OVER line IS NULL THEN 1 ELSE 0 END AS is_last,
    max(ended_at) OVER so_far AS furthest_at
  FROM moments
  WINDOW
    line AS (
      PARTITION BY dossier_id
      ORDER BY seq ASC NULLS LAST, began_us ASC NULLS LAST, ended_us ASC NULLS LAST, step ASC NULLS LAST,
        unit ASC NULLS LAST, officer ASC NULLS LAST
    ),
    so_far AS (
      PARTITION BY dossier_id
      ORDER BY seq ASC NULLS LAST, began_us ASC NULLS LAST, ended_us ASC NULLS LAST, step ASC NULLS LAST,
        unit ASC NULLS LAST, officer ASC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
-- Only what comes again: a join with few rows instead of one more window over all.
again AS (
  SELECT dossier_id, COALESCE(step, '') AS place, count(*) AS visits
  FROM steps
  GROUP BY dossier_id, COALESCE(step, '')
  HAVING count(*) > 1
),
placed AS (
  SELECT ordered.*, CAST(COALESCE(visits, 1) AS INT) AS visits, COALESCE(offices.office, '') AS office,
    COALESCE(GREATEST(furthest_at, received_at), began_at) AS arrived_at
  FROM ordered
  LEFT JOIN again ON ordered.dossier_id = again.dossier_id AND COALESCE(ordered.step, '') = place
  LEFT JOIN dossiers ON ordered.dossier_id = dossiers.dossier_id
  LEFT JOIN offices ON ordered.unit = offices.unit
),
arrivals AS (
  SELECT placed.*,
    CAST(EXTRACT(HOUR FROM arrived_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM arrived_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM arrived_at)) AS BIGINT) AS arrived_second
  FROM placed
),
readings AS (
  SELECT arrivals.*,
    c0.cum_minutes * 60 + GREATEST(LEAST(arrived_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(arrived_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS arrived_seconds,
    c1.cum_minutes * 60 + GREATEST(LEAST(began_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(began_second, c1.close_2 * 60) - c1.open_2 * 60, 0) AS began_seconds,
    c2.cum_minutes * 60 + GREATEST(LEAST(ended_second, c2.close_1 * 60) - c2.open_1 * 60, 0)
      + GREATEST(LEAST(ended_second, c2.close_2 * 60) - c2.open_2 * 60, 0) AS ended_seconds,
    c3.cum_minutes * 60 + GREATEST(LEAST(previous_second, c3.close_1 * 60) - c3.open_1 * 60, 0)
      + GREATEST(LEAST(previous_second, c3.close_2 * 60) - c3.open_2 * 60, 0) AS previous_seconds
  FROM arrivals
  LEFT JOIN calendar c0 ON arrivals.office = c0.office AND CAST(arrived_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON arrivals.office = c1.office AND CAST(began_at AS DATE) = c1.day
  LEFT JOIN calendar c2 ON arrivals.office = c2.office AND CAST(ended_at AS DATE) = c2.day
  LEFT JOIN calendar c3 ON arrivals.office = c3.office AND CAST(previous_at AS DATE) = c3.day
)
SELECT dossier_id, seq, step, unit, officer, step_status, step_due_at, started_at, finished_at, began_at, ended_at,
  previous_step, previous_unit, previous_officer, next_step, next_unit, next_officer, next_started_at, is_last,
  visits, began_us, ended_us,
  CASE WHEN previous_us < began_us THEN began_us - previous_us WHEN previous_us >= began_us THEN 0 END AS gap_us,
  office, arrived_seconds, began_seconds, ended_seconds,
  CASE WHEN previous_seconds < began_seconds THEN began_seconds - previous_seconds
    WHEN previous_seconds >= began_seconds THEN 0 END AS gap_seconds,
  CASE WHEN arrived_seconds < began_seconds THEN began_seconds - arrived_seconds
    WHEN arrived_seconds >= began_seconds THEN 0 END AS waiting_seconds,
  CASE WHEN started_at <= finished_at THEN ended_seconds - began_seconds END AS handling_seconds,
  CASE WHEN arrived_seconds > began_seconds THEN LEAST(arrived_seconds, ended_seconds) - began_seconds
    WHEN arrived_seconds <= began_seconds THEN 0 END AS concurrent_seconds
FROM readings
