-- The table `walks`: each dossier's path through its steps as a fingerprint, and how long it takes.
-- No engine orders the inside of a list as another does, so a path is known by its fingerprint: its length and the sums,
-- with three sets of random weights below 2^31 by place, of the numbers of its steps. Two paths that differ have the same
-- fingerprint with a probability of less than 2^-93.
-- Grain: one row a dossier that has steps.
-- Columns: dossier_id, length, a, b, c (the sums), lasted_us (calendar time from the beginning of the first to the last
--   moment of its steps), lasted_seconds (worked seconds likewise, of dossiers with moments that all lie within the
--   calendar's years), ended_at (when its last step ended).
-- Parameters: none. The tables spans and path_weights: seq, a, b, c.
WITH names AS (
  SELECT name, CAST(ROW_NUMBER() OVER (ORDER BY name ASC NULLS LAST) AS BIGINT) AS code
  FROM (SELECT DISTINCT COALESCE(step, '') AS name FROM spans) steps
)
SELECT dossier_id, count(*) AS length,
  CAST(sum(code * a) AS BIGINT) AS a, CAST(sum(code * b) AS BIGINT) AS b, CAST(sum(code * c) AS BIGINT) AS c,
  max(ended_us) - min(began_us) AS lasted_us,
  CASE WHEN count(began_seconds) > 0 AND count(began_seconds) = count(began_us)
      AND count(ended_seconds) = count(ended_us)
    THEN CAST(sum(COALESCE(gap_seconds, 0) + COALESCE(handling_seconds, 0)) AS BIGINT) END AS lasted_seconds,
  max(CASE WHEN is_last = 1 THEN ended_at END) AS ended_at
FROM spans
JOIN names ON COALESCE(step, '') = name
JOIN path_weights ON spans.seq = path_weights.seq
GROUP BY dossier_id
