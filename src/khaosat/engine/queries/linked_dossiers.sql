-- The dossiers that respondents of a survey named, and what happened to them; nothing of any other dossier.
-- Grain: one row a dossier whose id stands in the table `asked_ids` (one column, dossier_id, each id once).
-- Columns: dossier_id, procedure, field, responsible_unit, channel, deadline, closed_at (null: open), supplements (times
--   the applicant was asked for more).
-- Parameters: due (which appointment).
WITH named AS (
  SELECT dossiers.dossier_id, procedure, field, responsible_unit, channel, {due} AS deadline,
    COALESCE(finished_at, returned_at) AS closed_at
  FROM dossiers JOIN asked_ids ON dossiers.dossier_id = asked_ids.dossier_id
),
requests AS (
  SELECT supplements.dossier_id, count(*) AS times
  FROM supplements JOIN asked_ids ON supplements.dossier_id = asked_ids.dossier_id
  GROUP BY supplements.dossier_id
)
SELECT named.dossier_id, procedure, field, responsible_unit, channel, deadline, closed_at,
  CAST(COALESCE(times, 0) AS BIGINT) AS supplements
FROM named LEFT JOIN requests ON named.dossier_id = requests.dossier_id
