-- The steps of some dossiers, which stand for their paths.
-- Grain: one row a step.
-- Columns: dossier_id, seq, step.
-- Parameters: examples, ids of the dossiers.
SELECT dossier_id, seq, step FROM spans WHERE dossier_id IN ({examples})
