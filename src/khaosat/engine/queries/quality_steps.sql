-- Steps that do not fit their dossier, and names that stand for nobody.
-- Grain: one row.
-- Columns: of each check, <check> (how many), <check>_of (among how many), and where the first and the last of them
--   stand in the source (<check>_first, <check>_last: file and row, in the order of their text; no personal data).
-- Parameters: placeholders, officer names (lower case) that name a post and not a person.
WITH joined AS (
  SELECT steps.dossier_id, steps.officer, steps.started_at, steps.finished_at,
    COALESCE(steps.started_at, steps.finished_at) AS first_moment,
    COALESCE(steps.finished_at, steps.started_at) AS last_moment,
    dossiers.dossier_id AS owner, dossiers.received_at,
    CASE WHEN dossiers.returned_at > dossiers.finished_at THEN dossiers.returned_at
      ELSE COALESCE(dossiers.finished_at, dossiers.returned_at) END AS closed_at,
    CASE WHEN steps.source_file IS NOT NULL AND steps.source_row IS NOT NULL
      THEN concat(steps.source_file, ' #', CAST(steps.source_row AS VARCHAR(20))) ELSE '' END AS place
  FROM steps LEFT JOIN dossiers ON steps.dossier_id = dossiers.dossier_id
),
flags AS (
  SELECT owner, officer,
    CASE WHEN owner IS NULL THEN place END AS step_without_dossier,
    CASE WHEN first_moment < received_at THEN place END AS step_before_reception,
    CASE WHEN last_moment > closed_at THEN place END AS step_after_end,
    CASE WHEN finished_at < started_at THEN place END AS step_backwards,
    CASE WHEN lower(trim(officer)) IN ({placeholders}) THEN place END AS placeholder_officer
  FROM joined
),
sums AS (
  SELECT
    count(step_without_dossier) AS step_without_dossier, count(*) AS step_without_dossier_of,
      min(step_without_dossier) AS step_without_dossier_first, max(step_without_dossier) AS step_without_dossier_last,
    count(step_before_reception) AS step_before_reception, count(owner) AS step_before_reception_of,
      min(step_before_reception) AS step_before_reception_first, max(step_before_reception) AS step_before_reception_last,
    count(step_after_end) AS step_after_end, count(owner) AS step_after_end_of,
      min(step_after_end) AS step_after_end_first, max(step_after_end) AS step_after_end_last,
    count(step_backwards) AS step_backwards, count(*) AS step_backwards_of,
      min(step_backwards) AS step_backwards_first, max(step_backwards) AS step_backwards_last,
    count(placeholder_officer) AS placeholder_officer, count(officer) AS placeholder_officer_of,
      min(placeholder_officer) AS placeholder_officer_first, max(placeholder_officer) AS placeholder_officer_last
  FROM flags
),
lengths AS (SELECT dossier_id, count(*) AS n, min(place) AS place FROM joined GROUP BY dossier_id),
singles AS (
  SELECT COALESCE(CAST(sum(CASE WHEN n = 1 THEN 1 ELSE 0 END) AS BIGINT), 0) AS one_step, count(*) AS one_step_of,
    min(CASE WHEN n = 1 THEN place END) AS one_step_first, max(CASE WHEN n = 1 THEN place END) AS one_step_last
  FROM lengths
)
SELECT * FROM sums CROSS JOIN singles
