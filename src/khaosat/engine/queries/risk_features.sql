-- What was known of the dossiers of `risk_moments` at their moments: nothing that happened later enters.
-- Grain: one row of `risk_moments`.
-- Columns: those of `risk_moments`, and begun (steps begun), ended (of them ended), step, step_unit and officer (begun last), first_officer,
--   step_us (calendar microseconds since it began), idle_us (since anything was recorded of a step), handovers (steps
--   begun in another unit than the one before), repeats (steps begun of a name seen before), steps_late (past a due date
--   of their own), asked (requests for supplements), awaited (of them not completed), stock, overdue, closed_90, late_90
--   of the unit (`risk_flows`), term_days, elapsed_days, remaining_days, closed_days and seen_days (working days from reception to
--   the due date, to the moment, from the moment to the due date, to the end and to the snapshot).
-- Parameters: as_of, the snapshot.
WITH known AS (
  SELECT risk_moments.dossier_id, percent, at_second, spans.step, spans.unit, spans.officer, seq,
    began_us AS step_us, at_second * 1000000 AS at_us,
    CASE WHEN finished_at IS NOT NULL AND ended_us <= at_second * 1000000 THEN ended_us END AS step_ended_us,
    CASE WHEN (previous_unit IS DISTINCT FROM spans.unit) AND seq > 1 THEN 1 ELSE 0 END AS is_handover,
    CASE WHEN step_due_at IS NOT NULL AND d0.serial * 86400 + CAST(EXTRACT(HOUR FROM step_due_at) AS BIGINT) * 3600
        + CAST(EXTRACT(MINUTE FROM step_due_at) AS BIGINT) * 60
        < CASE WHEN finished_at IS NOT NULL AND ended_us <= at_second * 1000000
          THEN CAST(floor(CAST(ended_us AS DOUBLE) * CAST(0.000001 AS DOUBLE)) AS BIGINT) ELSE at_second END
      THEN 1 ELSE 0 END AS is_step_late
  FROM risk_moments
  JOIN spans ON risk_moments.dossier_id = spans.dossier_id AND began_us <= at_second * 1000000
  LEFT JOIN risk_days d0 ON CAST(step_due_at AS DATE) = d0.day
),
ranked AS (
  SELECT known.*, ROW_NUMBER() OVER (
      PARTITION BY dossier_id, percent ORDER BY step_us DESC NULLS LAST, seq DESC NULLS LAST
    ) AS from_last,
    ROW_NUMBER() OVER (PARTITION BY dossier_id, percent ORDER BY step_us ASC NULLS LAST, seq ASC NULLS LAST) AS from_first
  FROM known
),
steps_known AS (
  SELECT dossier_id, percent, count(*) AS begun, count(step_ended_us) AS ended,
    max(CASE WHEN from_last = 1 THEN step END) AS step, max(CASE WHEN from_last = 1 THEN unit END) AS step_unit,
    max(CASE WHEN from_last = 1 THEN officer END) AS officer,
    max(CASE WHEN from_first = 1 THEN officer END) AS first_officer, max(step_us) AS step_us, max(GREATEST(step_us, COALESCE(step_ended_us, step_us))) AS touched_us,
    CAST(sum(is_handover) AS BIGINT) AS handovers, count(*) - count(DISTINCT step) AS repeats,
    CAST(sum(is_step_late) AS BIGINT) AS steps_late
  FROM ranked
  GROUP BY dossier_id, percent
),
requests AS (
  SELECT dossier_id, d0.serial * 86400 + CAST(EXTRACT(HOUR FROM requested_at) AS BIGINT) * 3600
      + CAST(EXTRACT(MINUTE FROM requested_at) AS BIGINT) * 60 + CAST(floor(EXTRACT(SECOND FROM requested_at)) AS BIGINT)
      AS requested_second,
    d1.serial * 86400 + CAST(EXTRACT(HOUR FROM completed_at) AS BIGINT) * 3600
      + CAST(EXTRACT(MINUTE FROM completed_at) AS BIGINT) * 60 + CAST(floor(EXTRACT(SECOND FROM completed_at)) AS BIGINT)
      AS completed_second
  FROM supplements
  JOIN risk_days d0 ON CAST(requested_at AS DATE) = d0.day
  LEFT JOIN risk_days d1 ON CAST(completed_at AS DATE) = d1.day
),
requests_known AS (
  SELECT risk_moments.dossier_id, percent, count(*) AS asked,
    CAST(sum(CASE WHEN completed_second <= at_second THEN 0 ELSE 1 END) AS BIGINT) AS awaited
  FROM risk_moments JOIN requests ON risk_moments.dossier_id = requests.dossier_id AND requested_second <= at_second
  GROUP BY risk_moments.dossier_id, percent
),
-- Half a second keeps midnight from falling into the day before.
dated AS (
  SELECT risk_moments.*,
    CAST(floor((CAST(at_second AS DOUBLE) + CAST(0.5 AS DOUBLE)) * CAST(0.000011574074074074073 AS DOUBLE)) AS BIGINT)
      AS at_day,
    CAST(floor((CAST(received_second AS DOUBLE) + CAST(0.5 AS DOUBLE)) * CAST(0.000011574074074074073 AS DOUBLE)) AS BIGINT)
      AS received_day,
    CAST(floor((CAST(due_second AS DOUBLE) + CAST(0.5 AS DOUBLE)) * CAST(0.000011574074074074073 AS DOUBLE)) AS BIGINT)
      AS due_day,
    CAST(floor((CAST(closed_second AS DOUBLE) + CAST(0.5 AS DOUBLE)) * CAST(0.000011574074074074073 AS DOUBLE)) AS BIGINT)
      AS closed_day
  FROM risk_moments
)
SELECT dated.dossier_id, dated.percent, procedure, procedure_name, field, dated.unit, receiving_unit, channel,
  applicant_type, received_at, due_at, received_second, due_second, closed_second, at_second, is_late, nth,
  COALESCE(begun, 0) AS begun, COALESCE(ended, 0) AS ended, steps_known.step, step_unit, officer, first_officer,
  at_second * 1000000 - step_us AS step_us, at_second * 1000000 - touched_us AS idle_us,
  COALESCE(handovers, 0) AS handovers, COALESCE(repeats, 0) AS repeats, COALESCE(steps_late, 0) AS steps_late,
  COALESCE(asked, 0) AS asked, COALESCE(awaited, 0) AS awaited,
  COALESCE(stock, 0) AS stock, COALESCE(overdue, 0) AS overdue, COALESCE(closed_90, 0) AS closed_90,
  COALESCE(late_90, 0) AS late_90,
  CAST(c1.day_index - c0.day_index AS BIGINT) AS term_days, CAST(c2.day_index - c0.day_index AS BIGINT) AS elapsed_days,
  CAST(c1.day_index - c2.day_index AS BIGINT) AS remaining_days,
  CAST(c3.day_index - c2.day_index AS BIGINT) AS closed_days, CAST(c4.day_index - c2.day_index AS BIGINT) AS seen_days
FROM dated
LEFT JOIN steps_known ON dated.dossier_id = steps_known.dossier_id AND dated.percent = steps_known.percent
LEFT JOIN requests_known ON dated.dossier_id = requests_known.dossier_id AND dated.percent = requests_known.percent
LEFT JOIN risk_flows ON COALESCE(dated.unit, '') = risk_flows.unit AND at_day = risk_flows.serial
LEFT JOIN risk_days c0 ON received_day = c0.serial
LEFT JOIN risk_days c1 ON due_day = c1.serial
LEFT JOIN risk_days c2 ON at_day = c2.serial
LEFT JOIN risk_days c3 ON closed_day = c3.serial
LEFT JOIN risk_days c4 ON c4.day = CAST({as_of} AS DATE)
