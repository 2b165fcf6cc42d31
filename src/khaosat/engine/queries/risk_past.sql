-- How many dossiers fell due and were late, by procedure, unit, receiving unit and time: what was known of a kind.
-- Grain: one row a name (procedure, unit, receiving_unit), value ('': none recorded) and period in which they fell due.
-- Columns: name, value, period (see `risk_days`), n, late (not closed by their due date).
-- Parameters: due (which deadline); ended (statuses); known, the first moment the log knows nothing of; as_of, the
--   snapshot.
WITH cases AS (
  SELECT COALESCE(procedure, '') AS procedure, COALESCE(responsible_unit, receiving_unit, '') AS unit,
    COALESCE(receiving_unit, '') AS receiving_unit, received_at, {due} AS due_at,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at < {known}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
outcomes AS (
  SELECT procedure, unit, receiving_unit, period, count(*) AS n,
    CAST(sum(CASE WHEN closed_at <= due_at THEN 0 ELSE 1 END) AS BIGINT) AS late
  FROM cases JOIN risk_days ON CAST(due_at AS DATE) = risk_days.day
  WHERE due_at < {as_of} AND due_at > received_at AND (closed_at IS NULL OR closed_at > received_at)
  GROUP BY procedure, unit, receiving_unit, period
)
SELECT 'procedure' AS name, procedure AS value, period, CAST(sum(n) AS BIGINT) AS n, CAST(sum(late) AS BIGINT) AS late
FROM outcomes GROUP BY procedure, period
UNION ALL
SELECT 'unit' AS name, unit AS value, period, CAST(sum(n) AS BIGINT) AS n, CAST(sum(late) AS BIGINT) AS late
FROM outcomes GROUP BY unit, period
UNION ALL
SELECT 'receiving_unit' AS name, receiving_unit AS value, period, CAST(sum(n) AS BIGINT) AS n,
  CAST(sum(late) AS BIGINT) AS late
FROM outcomes GROUP BY receiving_unit, period
