-- Appointments moved after they had expired, more than once, or without an apology.
-- Grain: one row.
-- Columns: of each check, <check> (how many), <check>_of (among how many), and where the first and the last of them
--   stand in the source (<check>_first, <check>_last: file and row, in the order of their text; no personal data).
-- Parameters: none.
WITH recorded AS (SELECT count(apology_sent_at) AS apologies FROM appointments),
changes AS (
  SELECT dossier_id, changed_at, old_due_at, apology_sent_at, apologies,
    CASE WHEN source_file IS NOT NULL AND source_row IS NOT NULL
      THEN concat(source_file, ' #', CAST(source_row AS VARCHAR(20))) ELSE '' END AS place
  FROM appointments CROSS JOIN recorded
),
flags AS (
  SELECT dossier_id, place, apologies,
    CASE WHEN changed_at > old_due_at THEN place END AS changed_after_expiry,
    CASE WHEN apology_sent_at IS NULL AND apologies > 0 THEN place END AS changed_without_apology
  FROM changes
),
sums AS (
  SELECT
    count(changed_after_expiry) AS changed_after_expiry, count(*) AS changed_after_expiry_of,
      min(changed_after_expiry) AS changed_after_expiry_first, max(changed_after_expiry) AS changed_after_expiry_last,
    count(changed_without_apology) AS changed_without_apology,
      count(CASE WHEN apologies > 0 THEN 1 END) AS changed_without_apology_of,
      min(changed_without_apology) AS changed_without_apology_first, max(changed_without_apology) AS changed_without_apology_last
  FROM flags
),
counts AS (SELECT dossier_id, count(*) AS n, min(place) AS place FROM flags GROUP BY dossier_id),
repeats AS (
  SELECT COALESCE(CAST(sum(CASE WHEN n > 1 THEN 1 ELSE 0 END) AS BIGINT), 0) AS changed_repeatedly,
    count(*) AS changed_repeatedly_of,
    min(CASE WHEN n > 1 THEN place END) AS changed_repeatedly_first,
    max(CASE WHEN n > 1 THEN place END) AS changed_repeatedly_last
  FROM counts
)
SELECT * FROM sums CROSS JOIN repeats
