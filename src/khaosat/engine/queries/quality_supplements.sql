-- Requests for supplements that come too late, on the last day, after the end, again, or were never answered.
-- Grain: one row.
-- Columns: of each check, <check> (how many), <check>_of (among how many), and where the first and the last of them
--   stand in the source (<check>_first, <check>_last: file and row, in the order of their text; no personal data).
-- Parameters: none; how many working days a request may take is the rule's in force on the day of reception.
WITH asked AS (
  SELECT supplements.dossier_id, requested_at, completed_at, received_at, COALESCE(first_due_at, due_at) AS deadline,
    COALESCE(finished_at, returned_at) AS closed_at, supplement_days AS limit_days,
    COALESCE(offices.office, '') AS office, CAST(requested_at AS DATE) AS asked_day,
    CAST(COALESCE(first_due_at, due_at) AS DATE) AS due_day, CAST(received_at AS DATE) AS received_day,
    CASE WHEN supplements.source_file IS NOT NULL AND supplements.source_row IS NOT NULL
      THEN concat(supplements.source_file, ' #', CAST(supplements.source_row AS VARCHAR(20))) ELSE '' END AS place
  FROM supplements
  JOIN dossiers ON supplements.dossier_id = dossiers.dossier_id
  LEFT JOIN offices ON responsible_unit = offices.unit
  LEFT JOIN deadline_rules ON CAST(received_at AS DATE) = deadline_rules.day
),
placed AS (
  SELECT asked.*, c1.day_index - c0.day_index AS after_days
  FROM asked
  LEFT JOIN calendar c0 ON asked.office = c0.office AND received_day = c0.day
  LEFT JOIN calendar c1 ON asked.office = c1.office AND asked_day = c1.day
),
flags AS (
  SELECT dossier_id, place, requested_at, deadline, closed_at, after_days, limit_days, asked_day, due_day, received_day,
    CASE WHEN after_days > limit_days THEN place END AS supplement_late,
    CASE WHEN after_days = limit_days + 1 THEN place END AS supplement_just_after_limit,
    CASE WHEN asked_day = due_day AND due_day > received_day THEN place END AS supplement_last_day,
    CASE WHEN requested_at > deadline THEN place END AS supplement_after_due,
    CASE WHEN requested_at > closed_at THEN place END AS supplement_after_end,
    CASE WHEN completed_at IS NULL AND closed_at IS NOT NULL THEN place END AS supplement_unanswered
  FROM placed
),
sums AS (
  SELECT
    count(supplement_late) AS supplement_late,
      count(CASE WHEN after_days IS NOT NULL AND limit_days IS NOT NULL THEN 1 END) AS supplement_late_of,
      min(supplement_late) AS supplement_late_first, max(supplement_late) AS supplement_late_last,
    count(supplement_just_after_limit) AS supplement_just_after_limit,
      count(CASE WHEN after_days IS NOT NULL AND limit_days IS NOT NULL THEN 1 END) AS supplement_just_after_limit_of,
      min(supplement_just_after_limit) AS supplement_just_after_limit_first, max(supplement_just_after_limit) AS supplement_just_after_limit_last,
    count(supplement_last_day) AS supplement_last_day,
      count(CASE WHEN asked_day IS NOT NULL AND due_day > received_day THEN 1 END) AS supplement_last_day_of,
      min(supplement_last_day) AS supplement_last_day_first, max(supplement_last_day) AS supplement_last_day_last,
    count(supplement_after_due) AS supplement_after_due,
      count(CASE WHEN requested_at IS NOT NULL AND deadline IS NOT NULL THEN 1 END) AS supplement_after_due_of,
      min(supplement_after_due) AS supplement_after_due_first, max(supplement_after_due) AS supplement_after_due_last,
    count(supplement_after_end) AS supplement_after_end,
      count(CASE WHEN requested_at IS NOT NULL AND closed_at IS NOT NULL THEN 1 END) AS supplement_after_end_of,
      min(supplement_after_end) AS supplement_after_end_first, max(supplement_after_end) AS supplement_after_end_last,
    count(supplement_unanswered) AS supplement_unanswered, count(closed_at) AS supplement_unanswered_of,
      min(supplement_unanswered) AS supplement_unanswered_first, max(supplement_unanswered) AS supplement_unanswered_last
  FROM flags
),
counts AS (SELECT dossier_id, count(*) AS n, min(place) AS place FROM flags GROUP BY dossier_id),
repeats AS (
  SELECT COALESCE(CAST(sum(CASE WHEN n > 1 THEN 1 ELSE 0 END) AS BIGINT), 0) AS supplement_again,
    count(*) AS supplement_again_of,
    min(CASE WHEN n > 1 THEN place END) AS supplement_again_first,
    max(CASE WHEN n > 1 THEN place END) AS supplement_again_last
  FROM counts
)
SELECT * FROM sums CROSS JOIN repeats
