-- The commonest paths of dossiers through their steps.
-- No engine orders the inside of a list as another does, so a path is known by its fingerprint: its length and the sums,
-- with three sets of random weights below 2^31 by place, of the numbers of its steps. Two paths that differ have the same
-- fingerprint with a probability of less than 2^-93.
-- Grain: one row a group of `by` and path, the `top` commonest of each group.
-- Columns: by…, example (a dossier of the path, by which to look it up), length, n, variants (different paths in the
--   group), dossiers (in the group), median_us (calendar time from the beginning of the first to the last moment of its
--   steps), median_worked (worked seconds likewise, of dossiers with moments that all lie within the
--   calendar's years).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); top; whole, or start <= t < finish, in
--   which the dossier's last step ended. The table path_weights: seq, a, b, c.
WITH names AS (
  SELECT name, CAST(ROW_NUMBER() OVER (ORDER BY name ASC NULLS LAST) AS BIGINT) AS code
  FROM (SELECT DISTINCT COALESCE(step, '') AS name FROM spans) steps
),
walks AS (
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
),
paths AS (
  SELECT {by_source} spans.dossier_id, length, a, b, c, lasted_us, lasted_seconds
  FROM walks spans {with_dossiers}
  WHERE ({whole} OR (ended_at >= {start} AND ended_at < {finish}))
),
groups AS (
  SELECT {by} length, a, b, c, count(*) AS n, min(dossier_id) AS example,
    median(CAST(lasted_us AS DOUBLE)) AS median_us, median(CAST(lasted_seconds AS DOUBLE)) AS median_worked
  FROM paths
  GROUP BY {by} length, a, b, c
),
ranked AS (
  SELECT {by} length, n, example, median_us, median_worked,
    ROW_NUMBER() OVER (PARTITION BY {by} 1 ORDER BY n DESC NULLS LAST, example ASC NULLS LAST) AS place,
    count(*) OVER (PARTITION BY {by} 1) AS variants,
    CAST(sum(n) OVER (PARTITION BY {by} 1) AS BIGINT) AS dossiers
  FROM groups
)
SELECT {by} example, CAST(length AS BIGINT) AS length, n, variants, dossiers, median_us, median_worked
FROM ranked
WHERE place <= {top}
ORDER BY {by} place ASC NULLS LAST
