-- Appointments moved after they had expired, or more than once.
-- Grain: one row.
-- Columns: of each check, <check> (how many) and <check>_of (among how many re-appointments or re-appointed dossiers).
-- Parameters: none.
WITH counts AS (
  SELECT dossier_id, count(*) AS n FROM appointments GROUP BY dossier_id
),
per_dossier AS (
  SELECT count(*) AS dossiers, CAST(sum(CASE WHEN n > 1 THEN 1 ELSE 0 END) AS BIGINT) AS repeated FROM counts
),
per_change AS (
  SELECT count(*) AS changes, CAST(sum(CASE WHEN changed_at > old_due_at THEN 1 ELSE 0 END) AS BIGINT) AS expired
  FROM appointments
)
SELECT
  COALESCE(expired, 0) AS changed_after_expiry, changes AS changed_after_expiry_of,
  COALESCE(repeated, 0) AS changed_repeatedly, dossiers AS changed_repeatedly_of
FROM per_change CROSS JOIN per_dossier
