-- The table `late_steps`: the worked overrun of every dossier closed late, laid to its steps.
-- overrun of a dossier = sum over its rows of (active - allowance) + (paused - pause_allowance), to the second.
-- The legal term is shared out over the steps by their own time limits, else by the median of the same step of the same
-- procedure; what a deadline was moved beyond the first appointment goes to the pauses first.
-- Grain: one row a step of `timed_steps` of a late dossier, and one for its time that no step covers (step null), if any.
-- Columns: dossier_id, step, unit, is_first (1 for one row of each dossier), overrun (of the dossier, worked seconds from
--   deadline to end); active, allowance, waiting_over, handover_over, handling_over (active time beyond the allowance, which
--   handling uses up first, then waiting, then handover), outside_over (the same of time that no step covers), paused_over,
--   unused (of the allowance); saved_legal and saved_median, active time beyond the allowance, and beyond the median;
--   by_limit, 1 where the step's own time limit was the measure; all_paused, paused time of the dossier.
-- Parameters: none. The tables closed_dossiers and timed_steps.
WITH terms AS (
  SELECT dossier_id, lasted, overrun, term, moved
  FROM closed_dossiers
  WHERE is_late = 1 AND overrun IS NOT NULL AND lasted IS NOT NULL
),
-- Lower medians by counting, which needs no more memory than there are different values.
tallied AS (
  SELECT procedure_key, COALESCE(step, '') AS step_key, active, count(*) AS n
  FROM timed_steps
  GROUP BY procedure_key, COALESCE(step, ''), active
),
ranked AS (
  SELECT procedure_key, step_key, active,
    CAST(sum(n) OVER (PARTITION BY procedure_key, step_key) AS BIGINT) AS n,
    CAST(sum(n) OVER (
      PARTITION BY procedure_key, step_key ORDER BY active ASC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS upto
  FROM tallied
),
norms AS (
  SELECT procedure_key, step_key, min(active) AS median_seconds
  FROM ranked
  WHERE 2 * upto >= n
  GROUP BY procedure_key, step_key
),
weighed AS (
  SELECT timed_steps.*, lasted, overrun, term, moved, median_seconds,
    CASE WHEN is_pause = 1 THEN 0 ELSE COALESCE(allotted, median_seconds) END AS weight
  FROM timed_steps
  JOIN terms ON timed_steps.dossier_id = terms.dossier_id
  JOIN norms ON timed_steps.procedure_key = norms.procedure_key AND COALESCE(timed_steps.step, '') = step_key
),
totals AS (
  SELECT dossier_id, CAST(sum(active + paused) AS BIGINT) AS covered, CAST(sum(paused) AS BIGINT) AS all_paused,
    CAST(sum(weight) AS BIGINT) AS all_weight, min(seq) AS first_seq
  FROM weighed
  GROUP BY dossier_id
),
-- Of the term, `given` to the pauses; the rest is shared out by weight.
shared AS (
  SELECT terms.*, COALESCE(covered, 0) AS covered, COALESCE(all_paused, 0) AS all_paused,
    COALESCE(all_weight, 0) AS all_weight, first_seq,
    LEAST(moved, COALESCE(all_paused, 0)) AS given, term - LEAST(moved, COALESCE(all_paused, 0)) AS share_out
  FROM terms LEFT JOIN totals ON terms.dossier_id = totals.dossier_id
),
running AS (
  SELECT weighed.*, all_weight, all_paused, given, share_out, first_seq,
    CAST(sum(weight) OVER so_far AS BIGINT) AS weight_upto, CAST(sum(paused) OVER so_far AS BIGINT) AS paused_upto
  FROM weighed JOIN shared ON weighed.dossier_id = shared.dossier_id
  WINDOW so_far AS (
    PARTITION BY weighed.dossier_id ORDER BY seq ASC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
-- Shares up to a step are rounded, and its own is the difference: so they sum to the term exactly. power(x, -1) is 1 over
-- x; half a second less a little, so that no last digit of a product decides where to round.
allowed AS (
  SELECT running.*,
    CASE WHEN all_weight = 0 THEN 0 ELSE
      CAST(floor(CAST(share_out AS DOUBLE) * CAST(weight_upto AS DOUBLE) * power(CAST(all_weight AS DOUBLE), -1)
        + CAST(0.49999 AS DOUBLE)) AS BIGINT)
      - CAST(floor(CAST(share_out AS DOUBLE) * CAST(weight_upto - weight AS DOUBLE) * power(CAST(all_weight AS DOUBLE), -1)
        + CAST(0.49999 AS DOUBLE)) AS BIGINT)
    END AS allowance,
    LEAST(paused_upto, given) - LEAST(paused_upto - paused, given) AS pause_allowance
  FROM running
)
SELECT dossier_id, step, unit, CASE WHEN seq = first_seq THEN 1 ELSE 0 END AS is_first, overrun, active, allowance,
  GREATEST(waiting - GREATEST(allowance - handling, 0), 0) AS waiting_over,
  GREATEST(handover - GREATEST(allowance - handling - waiting, 0), 0) AS handover_over,
  GREATEST(handling - allowance, 0) AS handling_over,
  0 AS outside_over,
  paused - pause_allowance AS paused_over,
  GREATEST(allowance - active, 0) AS unused,
  GREATEST(active - allowance, 0) AS saved_legal,
  CASE WHEN is_pause = 1 THEN 0 ELSE GREATEST(active - median_seconds, 0) END AS saved_median,
  CASE WHEN allotted IS NULL THEN 0 ELSE 1 END AS by_limit,
  all_paused
FROM allowed
UNION ALL
SELECT dossier_id, NULLIF('', '') AS step, NULLIF('', '') AS unit, CASE WHEN first_seq IS NULL THEN 1 ELSE 0 END AS is_first,
  overrun, lasted - covered AS active, CASE WHEN all_weight = 0 THEN share_out ELSE 0 END AS allowance,
  0 AS waiting_over, 0 AS handover_over, 0 AS handling_over,
  CASE WHEN all_weight = 0 THEN GREATEST(lasted - covered - share_out, 0) ELSE lasted - covered END AS outside_over,
  0 AS paused_over,
  CASE WHEN all_weight = 0 THEN GREATEST(share_out - lasted + covered, 0) ELSE 0 END AS unused,
  CASE WHEN all_weight = 0 THEN GREATEST(lasted - covered - share_out, 0) ELSE GREATEST(lasted - covered, 0) END AS saved_legal,
  0 AS saved_median, 0 AS by_limit, all_paused
FROM shared
WHERE lasted <> covered OR all_weight = 0
