-- Late dossiers as indicator 2.1 of the national portal counts them: an open dossier is judged at the period's end, the
-- time of its supplement is taken off, a second supplement makes it late; without a due date the legal term counts.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, carried, received, closed, open, open_overdue, left_out, portal_766_numerator, portal_766_denominator,
--   portal_766_missing (neither due date nor legal term).
-- Parameters: by; due; ended; start <= t < finish is the period; last, its last moment, at which open dossiers are
--   judged.
WITH asked AS (
  SELECT dossier_id, count(*) AS requests, max(requested_at) AS requested_at, max(completed_at) AS completed_at
  FROM supplements
  WHERE requested_at < {finish}
  GROUP BY dossier_id
),
cases AS (
  SELECT {by_source}
    CASE WHEN COALESCE(finished_at, returned_at) IS NULL AND status IN ({ended}) THEN NULL ELSE received_at END
      AS entered_at,
    COALESCE(finished_at, returned_at) AS closed_at,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) ELSE {last} END
      AS judged_at,
    {due} AS deadline,
    legal_days, requests, requested_at, completed_at, COALESCE(offices.office, '') AS office
  FROM dossiers LEFT JOIN asked ON dossiers.dossier_id = asked.dossier_id
    LEFT JOIN offices ON responsible_unit = offices.unit
),
pauses AS (
  SELECT {by} office, entered_at, closed_at, judged_at, deadline, legal_days, requests,
    CASE WHEN requested_at < judged_at AND (completed_at IS NULL OR completed_at >= requested_at)
      THEN requested_at ELSE judged_at END AS paused_at,
    CASE WHEN requested_at < judged_at AND completed_at >= requested_at AND completed_at < judged_at
      THEN completed_at ELSE judged_at END AS resumed_at
  FROM cases
),
-- The calendar is joined on a null date, that is not at all, wherever there is a due date.
verdicts AS (
  SELECT {by} entered_at, closed_at,
    CASE
      WHEN requests > 1 THEN 1
      WHEN deadline IS NOT NULL AND judged_at <= deadline THEN 0
      WHEN deadline IS NOT NULL AND judged_at - deadline > resumed_at - paused_at THEN 1
      WHEN deadline IS NOT NULL THEN 0
      WHEN c1.day_index - c0.day_index - (c3.day_index - c2.day_index) > legal_days THEN 1
      WHEN c1.day_index - c0.day_index - (c3.day_index - c2.day_index) <= legal_days THEN 0
    END AS late
  FROM pauses
  LEFT JOIN calendar c0 ON pauses.office = c0.office
    AND CASE WHEN deadline IS NULL THEN CAST(entered_at AS DATE) END = c0.day
  LEFT JOIN calendar c1 ON pauses.office = c1.office
    AND CASE WHEN deadline IS NULL THEN CAST(judged_at AS DATE) END = c1.day
  LEFT JOIN calendar c2 ON pauses.office = c2.office
    AND CASE WHEN deadline IS NULL THEN CAST(paused_at AS DATE) END = c2.day
  LEFT JOIN calendar c3 ON pauses.office = c3.office
    AND CASE WHEN deadline IS NULL THEN CAST(resumed_at AS DATE) END = c3.day
),
flags AS (
  SELECT {by} COALESCE(late, 0) AS is_late,
    CASE WHEN late IS NULL THEN 1 ELSE 0 END AS unknown,
    CASE WHEN late IS NULL THEN 0 ELSE 1 END AS judged,
    CASE WHEN entered_at IS NULL THEN 1 ELSE 0 END AS is_left_out,
    CASE WHEN entered_at < {start} AND (closed_at IS NULL OR closed_at >= {start}) THEN 1 ELSE 0 END AS is_carried,
    CASE WHEN entered_at >= {start} AND entered_at < {finish} THEN 1 ELSE 0 END AS is_received,
    CASE WHEN entered_at < {finish} AND closed_at >= {start} AND closed_at < {finish} THEN 1 ELSE 0 END AS is_closed,
    CASE WHEN entered_at < {finish} AND (closed_at IS NULL OR closed_at >= {finish}) THEN 1 ELSE 0 END AS is_open
  FROM verdicts
)
SELECT {by}
  CAST(sum(is_carried) AS BIGINT) AS carried,
  CAST(sum(is_received) AS BIGINT) AS received,
  CAST(sum(is_closed) AS BIGINT) AS closed,
  CAST(sum(is_open) AS BIGINT) AS open,
  CAST(sum(is_open * is_late) AS BIGINT) AS open_overdue,
  CAST(sum(is_left_out) AS BIGINT) AS left_out,
  CAST(sum((is_carried + is_received) * is_late) AS BIGINT) AS portal_766_numerator,
  CAST(sum((is_carried + is_received) * judged) AS BIGINT) AS portal_766_denominator,
  CAST(sum((is_carried + is_received) * unknown) AS BIGINT) AS portal_766_missing
FROM flags
{group_by}
