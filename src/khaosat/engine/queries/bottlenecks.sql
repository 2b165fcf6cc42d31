-- What late dossiers owe to each step, unit or other group: how many would have been on time had it kept to its time, and
-- the worked overrun laid to it.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, late (late dossiers that passed), at_legal and at_median (of them, those that the time of the group beyond
--   its allowance, or beyond its medians, made late: without it they end by the deadline); in worked seconds overrun (=
--   waiting + handover + handling + outside + paused - unused); steps, by_limit (of them, those with a time limit of
--   their own).
-- Parameters: by, with_dossiers (their table, where `by` names columns of it); the table late_steps, named spans here.
WITH parted AS (
  SELECT {by_source} spans.dossier_id, overrun, waiting_over, handover_over, handling_over,
    outside_over, paused_over, unused, saved_legal, saved_median, by_limit
  FROM late_steps spans {with_dossiers}
),
passed AS (
  SELECT {by} dossier_id, max(overrun) AS overrun, CAST(sum(saved_legal) AS BIGINT) AS saved_legal,
    CAST(sum(saved_median) AS BIGINT) AS saved_median, CAST(sum(waiting_over) AS BIGINT) AS waiting_over,
    CAST(sum(handover_over) AS BIGINT) AS handover_over, CAST(sum(handling_over) AS BIGINT) AS handling_over,
    CAST(sum(outside_over) AS BIGINT) AS outside_over, CAST(sum(paused_over) AS BIGINT) AS paused_over,
    CAST(sum(unused) AS BIGINT) AS unused, count(*) AS steps, CAST(sum(by_limit) AS BIGINT) AS by_limit
  FROM parted
  GROUP BY {by} dossier_id
)
SELECT {by} count(*) AS late,
  CAST(sum(CASE WHEN saved_legal > 0 AND saved_legal >= overrun THEN 1 ELSE 0 END) AS BIGINT) AS at_legal,
  CAST(sum(CASE WHEN saved_median > 0 AND saved_median >= overrun THEN 1 ELSE 0 END) AS BIGINT) AS at_median,
  CAST(sum(waiting_over + handover_over + handling_over + outside_over + paused_over - unused) AS BIGINT) AS overrun,
  CAST(sum(waiting_over) AS BIGINT) AS waiting, CAST(sum(handover_over) AS BIGINT) AS handover,
  CAST(sum(handling_over) AS BIGINT) AS handling, CAST(sum(outside_over) AS BIGINT) AS outside,
  CAST(sum(paused_over) AS BIGINT) AS paused, CAST(sum(unused) AS BIGINT) AS unused,
  CAST(sum(steps) AS BIGINT) AS steps, CAST(sum(by_limit) AS BIGINT) AS by_limit
FROM passed
{group_by}
