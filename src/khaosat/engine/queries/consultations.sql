-- Opinions that one agency asks of another, and what becomes of them.
-- Two ways to know such a step: by its name, or because the dossier goes to another unit and comes back from it (or is
-- still there).
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, asked, in_time, late (answered by and after the step's due date), undated (answered, without a due date),
--   not_answered (no answer although the due date is over or the dossier has ended), pending (no answer yet, and still
--   time), median_worked (worked seconds from asking to the answer).
-- Parameters: by; by_name, whether names decide; names, in lower case; start <= t < finish is the
--   period in which the opinion was asked; now, at which those without an answer are judged.
WITH asked AS (
  SELECT {by_source}
    CASE WHEN spans.finished_at < {now} THEN spans.finished_at END AS answered_at,
    step_due_at,
    handling_seconds,
    COALESCE(dossiers.finished_at, returned_at) AS closed_at
  FROM spans LEFT JOIN dossiers ON spans.dossier_id = dossiers.dossier_id
  WHERE began_at >= {start} AND began_at < {finish} AND (
    ({by_name} AND lower(trim(step)) IN ({names}))
    OR (NOT {by_name} AND unit <> previous_unit
      AND (next_unit = previous_unit OR (is_last = 1 AND spans.finished_at IS NULL)))
  )
)
SELECT {by} count(*) AS asked,
  CAST(sum(CASE WHEN answered_at <= step_due_at THEN 1 ELSE 0 END) AS BIGINT) AS in_time,
  CAST(sum(CASE WHEN answered_at > step_due_at THEN 1 ELSE 0 END) AS BIGINT) AS late,
  CAST(sum(CASE WHEN answered_at IS NOT NULL AND step_due_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS undated,
  CAST(sum(CASE WHEN answered_at IS NULL AND (step_due_at < {now} OR closed_at < {now}) THEN 1 ELSE 0 END) AS BIGINT)
    AS not_answered,
  CAST(sum(
    CASE WHEN answered_at IS NULL AND NOT (COALESCE(step_due_at < {now}, FALSE) OR COALESCE(closed_at < {now}, FALSE))
      THEN 1 ELSE 0 END
  ) AS BIGINT) AS pending,
  median(CASE WHEN answered_at IS NOT NULL THEN CAST(handling_seconds AS DOUBLE) END) AS median_worked
FROM asked
{group_by}
