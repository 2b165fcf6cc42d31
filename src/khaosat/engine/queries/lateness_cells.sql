-- Late dossiers by what is known of them: the counts behind models of lateness.
-- Grain: one row a cell that occurs.
-- Columns: procedure (one of `procedures`, else empty), field, channel, applicant_type, responsible_unit, workload (low,
--   normal, high, very_high: the unit's open dossiers on the morning of the reception against its average, one added to
--   both: up to 3 quarters, up to 5 quarters, up to double, more), season (tet, year_end: received in December, ordinary),
--   supplements (0, 1, 2: asked before the deadline; 2 is two or more), consultations (0 or 1: asked before the deadline),
--   quarter (of the reception, its first month: 2026-07), n, late (ended after the deadline, or open after it),
--   undecided (open, deadline still to come), undated (without a deadline).
-- Parameters: dossiers and due (which deadline); start <= t < finish is the time of reception; known, the first moment the
--   log knows nothing of; as_of, the snapshot; ended (statuses); procedures; tet (days around the holiday); names of
--   consultation steps in lower case.
-- The dossiers are read once for each purpose: a table of them all, kept for several, would outgrow the memory.
WITH moves AS (
  SELECT COALESCE(responsible_unit, '') AS at_unit, CAST(received_at AS DATE) AS day, 1 AS step
  FROM {dossiers}
  WHERE received_at < {known}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
  UNION ALL
  SELECT COALESCE(responsible_unit, '') AS at_unit, CAST(COALESCE(finished_at, returned_at) AS DATE) AS day, -1 AS step
  FROM {dossiers}
  WHERE received_at < {known} AND COALESCE(finished_at, returned_at) < {known}
),
daily AS (SELECT at_unit, day, CAST(sum(step) AS BIGINT) AS net FROM moves GROUP BY at_unit, day),
stock AS (
  SELECT at_unit, day, COALESCE(CAST(sum(net) OVER (
    PARTITION BY at_unit ORDER BY day ASC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS BIGINT), 0) AS backlog
  FROM daily
),
usual AS (SELECT at_unit, avg(CAST(backlog AS DOUBLE)) AS backlog FROM stock GROUP BY at_unit),
days AS (
  SELECT stock.at_unit, day,
    CASE
      WHEN CAST(stock.backlog + 1 AS DOUBLE) * 4 <= (usual.backlog + 1) * 3 THEN 'low'
      WHEN CAST(stock.backlog + 1 AS DOUBLE) * 4 <= (usual.backlog + 1) * 5 THEN 'normal'
      WHEN CAST(stock.backlog + 1 AS DOUBLE) <= (usual.backlog + 1) * 2 THEN 'high'
      ELSE 'very_high'
    END AS workload,
    CASE WHEN CAST(day AS TIMESTAMP) IN ({tet}) THEN 'tet' WHEN EXTRACT(MONTH FROM day) = 12 THEN 'year_end'
      ELSE 'ordinary' END AS season,
    CAST(date_trunc('quarter', day) AS DATE) AS quarter
  FROM stock JOIN usual ON stock.at_unit = usual.at_unit
),
supplemented AS (
  SELECT held.dossier_id, count(*) AS asked
  FROM supplements JOIN (SELECT dossier_id, received_at, {due} AS deadline FROM {dossiers}) AS held
    ON supplements.dossier_id = held.dossier_id
  WHERE requested_at >= received_at AND requested_at <= deadline
  GROUP BY held.dossier_id
),
opinions AS (
  SELECT dossier_id, min(COALESCE(started_at, finished_at)) AS first_at
  FROM steps
  WHERE lower(trim(step)) IN ({names})
  GROUP BY dossier_id
),
held AS (
  SELECT dossier_id, procedure, field, channel, applicant_type, responsible_unit, {due} AS deadline,
    COALESCE(responsible_unit, '') AS at_unit, CAST(received_at AS DATE) AS day,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM {dossiers}
  WHERE received_at >= {start} AND received_at < {finish} AND received_at < {known}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
described AS (
  SELECT CASE WHEN procedure IN ({procedures}) THEN procedure ELSE '' END AS procedure, field, channel, applicant_type,
    responsible_unit, workload, season,
    LEAST(COALESCE(supplemented.asked, 0), 2) AS supplements,
    CASE WHEN opinions.first_at <= deadline THEN 1 ELSE 0 END AS consultations,
    quarter,
    CASE WHEN closed_at > deadline OR (closed_at IS NULL AND deadline < {as_of}) THEN 1 ELSE 0 END AS is_late,
    CASE WHEN closed_at IS NULL AND deadline >= {as_of} THEN 1 ELSE 0 END AS is_undecided,
    CASE WHEN deadline IS NULL THEN 1 ELSE 0 END AS is_undated
  FROM held
  JOIN days ON held.at_unit = days.at_unit AND held.day = days.day
  LEFT JOIN supplemented ON held.dossier_id = supplemented.dossier_id
  LEFT JOIN opinions ON held.dossier_id = opinions.dossier_id
)
SELECT procedure, field, channel, applicant_type, responsible_unit, workload, season, supplements, consultations, quarter,
  count(*) AS n, CAST(sum(is_late) AS BIGINT) AS late, CAST(sum(is_undecided) AS BIGINT) AS undecided,
  CAST(sum(is_undated) AS BIGINT) AS undated
FROM described
GROUP BY procedure, field, channel, applicant_type, responsible_unit, workload, season, supplements, consultations, quarter
