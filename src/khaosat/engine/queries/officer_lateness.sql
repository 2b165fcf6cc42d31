-- Officers and the dossiers closed in the period that they kept beyond the due date of a step of their own.
-- Steps without a due date, consultations, and steps with the applicant are nobody's delay and left out.
-- Grain: one row an officer and unit with at least `least` such dossiers.
-- Columns: officer, unit, n (dossiers), late (of them, with a step ended after its due date), officers (all with any such
--   dossier, few or many), all_n and all_late (n and late summed over all of them).
-- Parameters: start <= t < finish is the period in which a dossier was closed; placeholders, names that stand for nobody,
--   and names, of consultations, both in lower case; pausing, statuses of a step with the applicant; least. The table
--   spans.
WITH worked AS (
  SELECT officer, spans.unit, spans.dossier_id,
    max(CASE WHEN spans.finished_at > step_due_at THEN 1 ELSE 0 END) AS is_late
  FROM spans JOIN dossiers ON spans.dossier_id = dossiers.dossier_id
  WHERE COALESCE(dossiers.finished_at, returned_at) >= {start} AND COALESCE(dossiers.finished_at, returned_at) < {finish}
    AND spans.finished_at IS NOT NULL AND step_due_at IS NOT NULL
    AND trim(COALESCE(officer, '')) <> '' AND lower(trim(officer)) NOT IN ({placeholders})
    AND lower(trim(COALESCE(step, ''))) NOT IN ({names}) AND COALESCE(step_status, '') NOT IN ({pausing})
  GROUP BY officer, spans.unit, spans.dossier_id
),
sums AS (
  SELECT officer, unit, count(*) AS n, CAST(sum(is_late) AS BIGINT) AS late FROM worked GROUP BY officer, unit
),
totals AS (
  SELECT sums.*, count(*) OVER () AS officers, CAST(sum(n) OVER () AS BIGINT) AS all_n,
    CAST(sum(late) OVER () AS BIGINT) AS all_late
  FROM sums
)
SELECT officer, unit, n, late, officers, all_n, all_late FROM totals
WHERE n >= {least}
