-- The table `risk_moments`: dossiers looked at when given shares of their term had passed, or at the snapshot.
-- Grain: one row a dossier and row of `risk_shares`, where the dossier was open at that moment.
-- Columns: dossier_id, percent (elapsed share of the term; -1: at the snapshot), procedure, procedure_name, field, unit
--   (responsible, else receiving), receiving_unit, channel, applicant_type, received_at, due_at, received_second,
--   due_second (null: no due date), closed_second (null: open at the snapshot), at_second (seconds since 1970 in local
--   civil time), is_late (0, 1; null: not known yet), nth (place by reception).
-- Parameters: due (which deadline); ended (statuses); known, the first moment the log knows nothing of; as_of, the
--   snapshot, and last_second, the same in seconds; modulus: one dossier in so many is taken, by its place.
WITH cases AS (
  SELECT dossier_id, procedure, procedure_name, field, COALESCE(responsible_unit, receiving_unit) AS unit, receiving_unit,
    channel, applicant_type, received_at, {due} AS due_at,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at < {known}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
numbered AS (
  SELECT cases.*,
    CAST(ROW_NUMBER() OVER (ORDER BY received_at ASC NULLS LAST, dossier_id ASC NULLS LAST) AS BIGINT) AS nth
  FROM cases
  WHERE closed_at IS NULL OR closed_at > received_at
),
chosen AS (
  SELECT numbered.*,
    CASE WHEN closed_at > due_at THEN 1 WHEN closed_at <= due_at THEN 0 WHEN due_at < {as_of} THEN 1 END AS is_late,
    d0.serial * 86400 + CAST(EXTRACT(HOUR FROM received_at) AS BIGINT) * 3600
      + CAST(EXTRACT(MINUTE FROM received_at) AS BIGINT) * 60 + CAST(floor(EXTRACT(SECOND FROM received_at)) AS BIGINT)
      AS received_second,
    d1.serial * 86400 + CAST(EXTRACT(HOUR FROM due_at) AS BIGINT) * 3600
      + CAST(EXTRACT(MINUTE FROM due_at) AS BIGINT) * 60 + CAST(floor(EXTRACT(SECOND FROM due_at)) AS BIGINT)
      AS due_second,
    d2.serial * 86400 + CAST(EXTRACT(HOUR FROM closed_at) AS BIGINT) * 3600
      + CAST(EXTRACT(MINUTE FROM closed_at) AS BIGINT) * 60 + CAST(floor(EXTRACT(SECOND FROM closed_at)) AS BIGINT)
      AS closed_second
  FROM numbered
  JOIN risk_days d0 ON CAST(received_at AS DATE) = d0.day
  LEFT JOIN risk_days d1 ON CAST(due_at AS DATE) = d1.day
  LEFT JOIN risk_days d2 ON CAST(closed_at AS DATE) = d2.day
  WHERE nth % {modulus} = 0
),
-- Rounded down to whole seconds; the thousandth keeps a product that ought to be whole from falling below it.
moments AS (
  SELECT chosen.*, percent,
    CASE WHEN percent < 0 THEN {last_second} ELSE received_second + CAST(floor(
      CAST((due_second - received_second) * percent AS DOUBLE) * CAST(0.01 AS DOUBLE) + CAST(0.001 AS DOUBLE)
    ) AS BIGINT) END AS at_second
  FROM chosen CROSS JOIN risk_shares
  WHERE percent < 0 OR due_second > received_second
)
SELECT dossier_id, percent, procedure, procedure_name, field, unit, receiving_unit, channel, applicant_type, received_at,
  due_at, received_second, due_second, closed_second, at_second, is_late, nth
FROM moments
WHERE at_second <= {last_second} AND (closed_second IS NULL OR closed_second > at_second)
