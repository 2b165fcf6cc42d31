-- The steps of the dossiers of what_if_dossiers, in order, and how much worked time each took.
-- Grain: one row a step of `timed_steps` of those dossiers.
-- Columns: nth (the dossier), step, unit ('': not recorded); in worked seconds waiting (before the step begins, also after a
--   change of units), handling, paused, allotted; is_pause; all as in timed_steps.
-- Parameters: modulus, of how many dossiers one is taken. The tables closed_dossiers and timed_steps.
WITH placed AS (
  SELECT dossier_id, ROW_NUMBER() OVER (ORDER BY dossier_id ASC NULLS LAST) AS nth
  FROM closed_dossiers
  WHERE overrun IS NOT NULL AND lasted IS NOT NULL
)
SELECT CAST(nth AS BIGINT) AS nth, COALESCE(step, '') AS step, COALESCE(unit, '') AS unit, waiting + handover AS waiting,
  handling, paused, allotted, is_pause
FROM timed_steps JOIN placed ON timed_steps.dossier_id = placed.dossier_id
WHERE nth % {modulus} = 0
ORDER BY nth ASC NULLS LAST, seq ASC NULLS LAST
