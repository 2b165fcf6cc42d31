-- Steps that do not fit their dossier, and names that stand for nobody.
-- Grain: one row.
-- Columns: of each check, <check> (how many) and <check>_of (among how many steps, or dossiers with steps).
-- Parameters: placeholders, officer names (lower case) that name a post and not a person.
WITH joined AS (
  SELECT steps.dossier_id, steps.officer, steps.started_at, steps.finished_at,
    COALESCE(steps.started_at, steps.finished_at) AS first_moment,
    COALESCE(steps.finished_at, steps.started_at) AS last_moment,
    dossiers.dossier_id AS owner, dossiers.received_at,
    CASE WHEN dossiers.returned_at > dossiers.finished_at THEN dossiers.returned_at
      ELSE COALESCE(dossiers.finished_at, dossiers.returned_at) END AS closed_at
  FROM steps LEFT JOIN dossiers ON steps.dossier_id = dossiers.dossier_id
),
lengths AS (SELECT dossier_id, count(*) AS n FROM steps GROUP BY dossier_id),
per_dossier AS (
  SELECT count(*) AS dossiers, CAST(sum(CASE WHEN n = 1 THEN 1 ELSE 0 END) AS BIGINT) AS single FROM lengths
),
per_step AS (
  SELECT count(*) AS steps, count(officer) AS named, count(owner) AS owned,
    CAST(sum(CASE WHEN first_moment < received_at THEN 1 ELSE 0 END) AS BIGINT) AS early,
    CAST(sum(CASE WHEN last_moment > closed_at THEN 1 ELSE 0 END) AS BIGINT) AS late,
    CAST(sum(CASE WHEN finished_at < started_at THEN 1 ELSE 0 END) AS BIGINT) AS backwards,
    CAST(sum(CASE WHEN lower(trim(officer)) IN ({placeholders}) THEN 1 ELSE 0 END) AS BIGINT) AS nobody
  FROM joined
)
SELECT
  steps - owned AS step_without_dossier, steps AS step_without_dossier_of,
  COALESCE(early, 0) AS step_before_reception, owned AS step_before_reception_of,
  COALESCE(late, 0) AS step_after_end, owned AS step_after_end_of,
  COALESCE(backwards, 0) AS step_backwards, steps AS step_backwards_of,
  COALESCE(single, 0) AS one_step, dossiers AS one_step_of,
  COALESCE(nobody, 0) AS placeholder_officer, named AS placeholder_officer_of
FROM per_step CROSS JOIN per_dossier
