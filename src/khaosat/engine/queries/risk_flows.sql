-- The table `risk_flows`: what each unit had in hand and had lately closed, as known when a day began.
-- Grain: one row a unit ('': none recorded) and day from its first dossier to the snapshot.
-- Columns: unit, serial (day as days since 1970), stock (open dossiers), overdue (open past their due date), closed_90
--   and late_90 (closed, and closed late, in the 90 days before).
-- Parameters: due (which deadline); ended (statuses); known, the first moment the log knows nothing of; as_of, the
--   snapshot.
WITH cases AS (
  SELECT COALESCE(responsible_unit, receiving_unit, '') AS unit, CAST(received_at AS DATE) AS entered_on,
    CAST(closed_at AS DATE) AS closed_on, CASE WHEN closed_at > due_at THEN 1 ELSE 0 END AS is_late,
    CASE WHEN due_at < {as_of} AND (closed_at IS NULL OR closed_at > due_at)
      THEN CAST(GREATEST(due_at, received_at) AS DATE) END AS overdue_on
  FROM (
    SELECT responsible_unit, receiving_unit, received_at, {due} AS due_at,
      CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
    FROM dossiers
    WHERE received_at < {known}
      AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
  ) placed
),
events AS (
  SELECT unit, entered_on AS day, 1 AS stock, 0 AS overdue, 0 AS closed, 0 AS late FROM cases
  UNION ALL
  SELECT unit, closed_on AS day, -1 AS stock, CASE WHEN overdue_on IS NULL THEN 0 ELSE -1 END AS overdue, 1 AS closed,
    is_late AS late
  FROM cases
  WHERE closed_on IS NOT NULL
  UNION ALL
  SELECT unit, overdue_on AS day, 0 AS stock, 1 AS overdue, 0 AS closed, 0 AS late
  FROM cases
  WHERE overdue_on IS NOT NULL
),
changes AS (
  SELECT unit, serial, CAST(sum(stock) AS BIGINT) AS stock, CAST(sum(overdue) AS BIGINT) AS overdue,
    CAST(sum(closed) AS BIGINT) AS closed, CAST(sum(late) AS BIGINT) AS late
  FROM events JOIN risk_days ON events.day = risk_days.day
  GROUP BY unit, serial
),
firsts AS (
  SELECT unit, min(serial) AS first_serial FROM changes GROUP BY unit
),
grid AS (
  SELECT firsts.unit, risk_days.serial
  FROM firsts CROSS JOIN risk_days
  WHERE risk_days.serial >= first_serial AND risk_days.day <= CAST({as_of} AS DATE)
),
filled AS (
  SELECT grid.unit, grid.serial, COALESCE(stock, 0) AS stock, COALESCE(overdue, 0) AS overdue,
    COALESCE(closed, 0) AS closed, COALESCE(late, 0) AS late
  FROM grid LEFT JOIN changes ON grid.unit = changes.unit AND grid.serial = changes.serial
)
SELECT unit, serial,
  COALESCE(CAST(sum(stock) OVER before AS BIGINT), 0) AS stock,
  COALESCE(CAST(sum(overdue) OVER before AS BIGINT), 0) AS overdue,
  COALESCE(CAST(sum(closed) OVER lately AS BIGINT), 0) AS closed_90,
  COALESCE(CAST(sum(late) OVER lately AS BIGINT), 0) AS late_90
FROM filled
WINDOW
  before AS (PARTITION BY unit ORDER BY serial ASC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
  lately AS (PARTITION BY unit ORDER BY serial ASC NULLS LAST ROWS BETWEEN 90 PRECEDING AND 1 PRECEDING)
