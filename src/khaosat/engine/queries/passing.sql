-- How many of the closed dossiers pass a step, unit or other group, and how long it has each of them.
-- Grain: one row a group of `by`.
-- Columns: by…, n (dossiers), total, median (worked seconds a dossier, without pauses; the lower median).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); the table timed_steps, named spans here.
WITH parted AS (
  SELECT {by_source} spans.dossier_id, active FROM timed_steps spans {with_dossiers}
),
passed AS (
  SELECT {by} dossier_id, CAST(sum(active) AS BIGINT) AS active FROM parted GROUP BY {by} dossier_id
),
tallied AS (
  SELECT {by} active, count(*) AS n, count(*) * active AS total FROM passed GROUP BY {by} active
),
ranked AS (
  SELECT {by} active, n, total,
    CAST(sum(n) OVER (PARTITION BY {by} 1) AS BIGINT) AS all_n,
    CAST(sum(n) OVER (
      PARTITION BY {by} 1 ORDER BY active ASC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS upto
  FROM tallied
)
SELECT {by} CAST(sum(n) AS BIGINT) AS n, CAST(sum(total) AS BIGINT) AS total,
  min(CASE WHEN 2 * upto >= all_n THEN active END) AS median
FROM ranked
{group_by}
