-- Dossiers that make form II.06a wrong: counted twice, in the other tables but not among the dossiers, ended at a moment
-- nobody knows, or ended before the period although received in it.
-- Grain: one row a fault and dossier, at most `top` of each fault.
-- Columns: fault, dossier_id, total (dossiers with this fault).
-- Parameters: start <= t < finish is the period; ended, the statuses of a dossier no longer in hand; top.
WITH cases AS (
  SELECT dossier_id, status, received_at, COALESCE(finished_at, returned_at) AS closed_at
  FROM dossiers
),
mentioned AS (
  SELECT dossier_id, COALESCE(finished_at, started_at) AS seen_at FROM steps
  UNION ALL SELECT dossier_id, requested_at AS seen_at FROM supplements
  UNION ALL SELECT dossier_id, changed_at AS seen_at FROM appointments
),
faults AS (
  SELECT 'counted_twice' AS fault, dossier_id
  FROM cases
  WHERE received_at < {finish} AND (closed_at IS NULL OR closed_at >= {start})
  GROUP BY dossier_id
  HAVING count(*) > 1
  UNION ALL
  SELECT 'lost' AS fault, mentioned.dossier_id
  FROM mentioned LEFT JOIN cases ON mentioned.dossier_id = cases.dossier_id
  WHERE cases.dossier_id IS NULL AND mentioned.dossier_id IS NOT NULL
    AND mentioned.seen_at >= {start} AND mentioned.seen_at < {finish}
  GROUP BY mentioned.dossier_id
  UNION ALL
  SELECT 'no_end_date' AS fault, dossier_id
  FROM cases
  WHERE closed_at IS NULL AND status IN ({ended}) AND received_at < {finish}
  GROUP BY dossier_id
  UNION ALL
  SELECT 'ended_before_received' AS fault, dossier_id
  FROM cases
  WHERE received_at >= {start} AND received_at < {finish} AND closed_at < {start}
  GROUP BY dossier_id
),
numbered AS (
  SELECT fault, dossier_id,
    count(*) OVER (PARTITION BY fault) AS total,
    row_number() OVER (PARTITION BY fault ORDER BY dossier_id ASC NULLS LAST) AS place
  FROM faults
)
SELECT fault, dossier_id, CAST(total AS BIGINT) AS total
FROM numbered
WHERE place <= {top}
ORDER BY fault ASC NULLS LAST, dossier_id ASC NULLS LAST
