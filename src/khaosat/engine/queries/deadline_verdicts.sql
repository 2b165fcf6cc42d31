-- The three deadlines side by side: how many dossiers in hand are late by each, by how much, and why verdicts differ.
-- A dossier closed in the period is judged at its end, an open one at the end of the period.
-- Grain: one row a group of `by`, rules in force and reasons.
-- Columns: by…, rule, portal_rule, effective_reason, portal_reason, n, n_missing (no due date), then of each deadline
--   late_<deadline>, days_<deadline> and seconds_<deadline> (working days and worked seconds late, summed over the
--   late), clocked_<deadline> (how many of the late lie within the calendar), and the changes of verdict against the
--   original: excused_effective, excused_portal (no longer late), charged_portal (late by the portal only).
-- Parameters: by; dossiers, in which deadlines.sql stands; ended; start <= t < finish is the period; now, at which open
--   dossiers are judged; last, the last moment of the period; as_of, the snapshot.
WITH cases AS (
  SELECT {by_source} COALESCE(offices.office, '') AS office, rule, portal_rule, effective_reason, portal_reason,
    original_due, effective_due, portal_due,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM {dossiers}
  LEFT JOIN offices ON responsible_unit = offices.unit
  WHERE received_at < {finish}
    AND (COALESCE(finished_at, returned_at) IS NULL OR COALESCE(finished_at, returned_at) >= {start})
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
verdicts AS (
  SELECT {by} office, rule, portal_rule, effective_reason, portal_reason, original_due, effective_due, portal_due,
    COALESCE(closed_at, {last}) AS judged_at,
    CASE WHEN original_due IS NULL THEN 0 ELSE 1 END AS has_deadline,
    CASE WHEN closed_at > original_due OR (closed_at IS NULL AND original_due < {now}) THEN 1 ELSE 0 END
      AS late_original,
    CASE WHEN closed_at > effective_due OR (closed_at IS NULL AND effective_due < {now}) THEN 1 ELSE 0 END
      AS late_effective,
    CASE WHEN closed_at > portal_due OR (closed_at IS NULL AND portal_due < {now}) THEN 1 ELSE 0 END AS late_portal
  FROM cases
),
-- Seconds of the day; only of what is late, since the clock is asked for nothing else.
moments AS (
  SELECT verdicts.*,
    CASE WHEN late_original = 1 THEN CAST(original_due AS DATE) END AS original_day,
    CASE WHEN late_effective = 1 THEN CAST(effective_due AS DATE) END AS effective_day,
    CASE WHEN late_portal = 1 THEN CAST(portal_due AS DATE) END AS portal_day,
    CASE WHEN late_original + late_effective + late_portal > 0 THEN CAST(judged_at AS DATE) END AS judged_day,
    CAST(EXTRACT(HOUR FROM original_due) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM original_due) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM original_due)) AS BIGINT) AS original_second,
    CAST(EXTRACT(HOUR FROM effective_due) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM effective_due) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM effective_due)) AS BIGINT) AS effective_second,
    CAST(EXTRACT(HOUR FROM portal_due) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM portal_due) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM portal_due)) AS BIGINT) AS portal_second,
    CAST(EXTRACT(HOUR FROM judged_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM judged_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM judged_at)) AS BIGINT) AS judged_second
  FROM verdicts
),
readings AS (
  SELECT {by} rule, portal_rule, effective_reason, portal_reason, has_deadline, late_original, late_effective,
    late_portal,
    c0.day_index - c1.day_index AS days_original,
    c0.day_index - c2.day_index AS days_effective,
    c0.day_index - c3.day_index AS days_portal,
    c0.cum_minutes * 60 + GREATEST(LEAST(judged_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(judged_second, c0.close_2 * 60) - c0.open_2 * 60, 0) AS judged,
    c1.cum_minutes * 60 + GREATEST(LEAST(original_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(original_second, c1.close_2 * 60) - c1.open_2 * 60, 0) AS original,
    c2.cum_minutes * 60 + GREATEST(LEAST(effective_second, c2.close_1 * 60) - c2.open_1 * 60, 0)
      + GREATEST(LEAST(effective_second, c2.close_2 * 60) - c2.open_2 * 60, 0) AS effective,
    c3.cum_minutes * 60 + GREATEST(LEAST(portal_second, c3.close_1 * 60) - c3.open_1 * 60, 0)
      + GREATEST(LEAST(portal_second, c3.close_2 * 60) - c3.open_2 * 60, 0) AS portal
  FROM moments
  LEFT JOIN calendar c0 ON moments.office = c0.office AND judged_day = c0.day
  LEFT JOIN calendar c1 ON moments.office = c1.office AND original_day = c1.day
  LEFT JOIN calendar c2 ON moments.office = c2.office AND effective_day = c2.day
  LEFT JOIN calendar c3 ON moments.office = c3.office AND portal_day = c3.day
)
SELECT {by} rule, portal_rule, effective_reason, portal_reason,
  CAST(sum(has_deadline) AS BIGINT) AS n,
  CAST(sum(1 - has_deadline) AS BIGINT) AS n_missing,
  CAST(sum(late_original) AS BIGINT) AS late_original,
  CAST(sum(late_effective) AS BIGINT) AS late_effective,
  CAST(sum(late_portal) AS BIGINT) AS late_portal,
  CAST(sum(COALESCE(days_original, 0)) AS BIGINT) AS days_original,
  CAST(sum(COALESCE(days_effective, 0)) AS BIGINT) AS days_effective,
  CAST(sum(COALESCE(days_portal, 0)) AS BIGINT) AS days_portal,
  CAST(sum(COALESCE(judged - original, 0)) AS BIGINT) AS seconds_original,
  CAST(sum(COALESCE(judged - effective, 0)) AS BIGINT) AS seconds_effective,
  CAST(sum(COALESCE(judged - portal, 0)) AS BIGINT) AS seconds_portal,
  count(days_original) AS clocked_original,
  count(days_effective) AS clocked_effective,
  count(days_portal) AS clocked_portal,
  CAST(sum(CASE WHEN late_original = 1 AND late_effective = 0 THEN 1 ELSE 0 END) AS BIGINT) AS excused_effective,
  CAST(sum(CASE WHEN late_original = 1 AND late_portal = 0 THEN 1 ELSE 0 END) AS BIGINT) AS excused_portal,
  CAST(sum(CASE WHEN late_original = 0 AND late_portal = 1 THEN 1 ELSE 0 END) AS BIGINT) AS charged_portal
FROM readings
GROUP BY {by} rule, portal_rule, effective_reason, portal_reason
