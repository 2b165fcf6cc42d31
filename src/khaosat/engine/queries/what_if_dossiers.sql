-- Dossiers that a simulation draws from: those of `closed_dossiers` whose time is known.
-- Grain: one row a dossier with a known overrun.
-- Columns: nth (its place among them, by its id), unit ('': none recorded), procedure_key, is_late; in worked seconds
--   overrun, term, moved as in closed_dossiers.
-- Parameters: modulus, of how many dossiers one is taken. The table closed_dossiers.
WITH placed AS (
  SELECT closed_dossiers.*, ROW_NUMBER() OVER (ORDER BY dossier_id ASC NULLS LAST) AS nth
  FROM closed_dossiers
  WHERE overrun IS NOT NULL AND lasted IS NOT NULL
)
SELECT CAST(nth AS BIGINT) AS nth, COALESCE(responsible_unit, receiving_unit, '') AS unit, placed.procedure_key, is_late,
  overrun, term, moved
FROM placed LEFT JOIN dossiers ON placed.dossier_id = dossiers.dossier_id
WHERE nth % {modulus} = 0
ORDER BY nth ASC NULLS LAST
