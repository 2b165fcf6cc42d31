-- When dossiers came in, by the clock of the office of their unit.
-- Grain: one row a dossier with a deadline, received from `since` to before `finish`.
-- Columns: unit ('': none recorded), received (reading of the clock: worked seconds), counted (1 for those received from
--   `start` on; the others only fill the queues).
-- Parameters: dossiers and due (which deadline); since, start, finish.
WITH cases AS (
  SELECT COALESCE(responsible_unit, receiving_unit, '') AS unit, responsible_unit, received_at,
    CAST(EXTRACT(HOUR FROM received_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM received_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM received_at)) AS BIGINT) AS received_second
  FROM {dossiers}
  WHERE received_at >= {since} AND received_at < {finish} AND {due} IS NOT NULL
)
SELECT cases.unit, c0.cum_minutes * 60 + GREATEST(LEAST(received_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
    + GREATEST(LEAST(received_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS received,
  CASE WHEN received_at >= {start} THEN 1 ELSE 0 END AS counted
FROM cases
LEFT JOIN offices ON responsible_unit = offices.unit
JOIN calendar c0 ON COALESCE(offices.office, '') = c0.office AND CAST(received_at AS DATE) = c0.day
ORDER BY received ASC NULLS LAST, cases.unit ASC NULLS LAST
