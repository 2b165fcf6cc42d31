-- The table `pauses`: how long of each step the dossier was with its applicant and not with the office.
-- Two signs of it, each counted once: a step that says so by its status, and requests for supplements, from the request to
-- the completion (one that nobody has answered goes on), where they cover a step or the wait for it.
-- Grain: one row a step of `spans` that has a pause.
-- Columns: dossier_id, seq, of_waiting, of_handling: worked seconds, at most the waiting_seconds and handling_seconds of
--   the step.
-- Parameters: pausing, statuses of a step during which the dossier is with its applicant.
WITH asked AS (
  SELECT dossier_id, requested_at, completed_at,
    max(COALESCE(completed_at, TIMESTAMP '2200-01-01 00:00:00')) OVER (
      PARTITION BY dossier_id ORDER BY requested_at ASC NULLS LAST, completed_at ASC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS furthest_at
  FROM supplements
  WHERE requested_at IS NOT NULL AND (completed_at IS NULL OR completed_at > requested_at)
),
-- What a request adds to those before it, so that none overlap.
apart AS (
  SELECT dossier_id, GREATEST(requested_at, furthest_at) AS since_at, completed_at AS until_at
  FROM asked
  WHERE furthest_at IS NULL OR completed_at > furthest_at
    OR (completed_at IS NULL AND furthest_at < TIMESTAMP '2200-01-01 00:00:00')
),
touched AS (
  SELECT spans.dossier_id, seq, office, arrived_seconds, began_seconds, ended_seconds, since_at, until_at,
    CAST(EXTRACT(HOUR FROM since_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM since_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM since_at)) AS BIGINT) AS since_second,
    CAST(EXTRACT(HOUR FROM until_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM until_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM until_at)) AS BIGINT) AS until_second
  FROM spans JOIN apart ON spans.dossier_id = apart.dossier_id
  WHERE since_at < ended_at AND (step_status IS NULL OR step_status NOT IN ({pausing}))
),
readings AS (
  SELECT dossier_id, seq, arrived_seconds, began_seconds, ended_seconds,
    c0.cum_minutes * 60 + GREATEST(LEAST(since_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(since_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS since_seconds,
    c1.cum_minutes * 60 + GREATEST(LEAST(until_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(until_second, c1.close_2 * 60) - c1.open_2 * 60, 0) AS until_seconds
  FROM touched
  LEFT JOIN calendar c0 ON touched.office = c0.office AND CAST(since_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON touched.office = c1.office AND CAST(until_at AS DATE) = c1.day
),
-- A clock never runs backwards: its reading at the later of two moments is the larger of their readings.
covered AS (
  SELECT dossier_id, seq,
    GREATEST(LEAST(COALESCE(until_seconds, began_seconds), began_seconds) - GREATEST(since_seconds, arrived_seconds), 0)
      AS of_waiting,
    GREATEST(LEAST(COALESCE(until_seconds, ended_seconds), ended_seconds) - GREATEST(since_seconds, began_seconds), 0)
      AS of_handling
  FROM readings
  UNION ALL
  SELECT dossier_id, seq, 0, ended_seconds - began_seconds
  FROM spans
  WHERE step_status IN ({pausing}) AND started_at <= finished_at
)
SELECT dossier_id, seq, CAST(sum(of_waiting) AS BIGINT) AS of_waiting, CAST(sum(of_handling) AS BIGINT) AS of_handling
FROM covered
GROUP BY dossier_id, seq
HAVING CAST(sum(of_waiting) AS BIGINT) + CAST(sum(of_handling) AS BIGINT) > 0
