-- The table `timed_steps`: the steps of `closed_dossiers`, and how much worked time of its dossier
-- each took: from when all before it had ended (reception, for the first) to its end, or the end of the dossier if that
-- comes first. No moment counts twice, so that the parts of a dossier's steps add up to the time its steps covered.
-- Grain: one row a step of `spans`, but for steps that begin when their dossier has ended and those outside the calendar.
-- Columns: dossier_id, seq, procedure_key, step, unit; in worked seconds waiting (before the
--   step begins), handover (the same, where the unit before it was another), handling, paused (with the applicant, taken
--   off the three); active (waiting + handover + handling); allotted (from its arrival to its own due date; null without
--   one, if that lies before its arrival, or for steps at the applicant's); is_pause (1 for those).
-- Parameters: pausing, statuses of a step during which the dossier is with its applicant. The tables spans, pauses and
--   closed_dossiers.
WITH closed AS (
  SELECT dossier_id, procedure_key, closed_at,
    CAST(EXTRACT(HOUR FROM closed_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM closed_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM closed_at)) AS BIGINT) AS closed_second
  FROM closed_dossiers
),
moments AS (
  SELECT spans.dossier_id, seq, procedure_key, step, unit, arrived_seconds,
    CASE WHEN seq > 1 AND previous_unit IS DISTINCT FROM unit THEN 1 ELSE 0 END AS is_handover,
    CASE WHEN step_status IN ({pausing}) THEN 1 ELSE 0 END AS is_pause,
    GREATEST(began_seconds, arrived_seconds) AS began_seconds, GREATEST(ended_seconds, arrived_seconds) AS ended_seconds,
    c0.cum_minutes * 60 + GREATEST(LEAST(closed_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(closed_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS closed_seconds,
    c1.cum_minutes * 60 + GREATEST(LEAST(
        CAST(EXTRACT(HOUR FROM step_due_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM step_due_at) AS BIGINT) * 60
          + CAST(floor(EXTRACT(SECOND FROM step_due_at)) AS BIGINT), c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(
        CAST(EXTRACT(HOUR FROM step_due_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM step_due_at) AS BIGINT) * 60
          + CAST(floor(EXTRACT(SECOND FROM step_due_at)) AS BIGINT), c1.close_2 * 60) - c1.open_2 * 60, 0) AS due_seconds
  FROM spans
  JOIN closed ON spans.dossier_id = closed.dossier_id
  LEFT JOIN calendar c0 ON spans.office = c0.office AND CAST(closed_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON spans.office = c1.office AND CAST(step_due_at AS DATE) = c1.day
  WHERE (began_at < closed_at OR ended_at <= closed_at)
    AND arrived_seconds IS NOT NULL AND began_seconds IS NOT NULL AND ended_seconds IS NOT NULL
),
clipped AS (
  SELECT moments.*,
    LEAST(began_seconds, closed_seconds) - LEAST(arrived_seconds, closed_seconds) AS queued,
    LEAST(ended_seconds, closed_seconds) - LEAST(began_seconds, closed_seconds) AS handled
  FROM moments
  WHERE closed_seconds IS NOT NULL
),
parted AS (
  SELECT clipped.*, LEAST(COALESCE(of_waiting, 0), queued) AS queue_paused,
    LEAST(COALESCE(of_handling, 0), handled) AS handling_paused
  FROM clipped LEFT JOIN pauses ON clipped.dossier_id = pauses.dossier_id AND clipped.seq = pauses.seq
)
SELECT dossier_id, seq, procedure_key, step, unit,
  (queued - queue_paused) * (1 - is_handover) AS waiting,
  (queued - queue_paused) * is_handover AS handover,
  handled - handling_paused AS handling,
  queue_paused + handling_paused AS paused,
  queued + handled - queue_paused - handling_paused AS active,
  CASE WHEN due_seconds > arrived_seconds AND is_pause = 0 THEN due_seconds - arrived_seconds END AS allotted,
  is_pause
FROM parted
