-- Late dossiers by the definitions closed, gia_lai, due_base and cohort.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, carried, received, closed, open, open_overdue, left_out (no reception or end moment to place them by),
--   and of each definition <id>_numerator, <id>_denominator, <id>_missing (no due date).
-- Parameters: by; dossiers and due (which deadline); by_dates, whether days are compared or moments to the
--   microsecond; ended (statuses); start <= t < finish is the period; now, at which open dossiers are judged; known, the
--   first moment the log knows nothing of; as_of, the snapshot.
WITH cases AS (
  SELECT {by_source}
    CASE WHEN COALESCE(finished_at, returned_at) IS NULL AND status IN ({ended}) THEN NULL ELSE received_at END
      AS entered_at,
    COALESCE(finished_at, returned_at) AS closed_at,
    {due} AS deadline
  FROM {dossiers}
),
flags AS (
  SELECT {by}
    CASE WHEN entered_at IS NULL THEN 1 ELSE 0 END AS is_left_out,
    CASE WHEN entered_at < {start} AND (closed_at IS NULL OR closed_at >= {start}) THEN 1 ELSE 0 END AS is_carried,
    CASE WHEN entered_at >= {start} AND entered_at < {finish} THEN 1 ELSE 0 END AS is_received,
    CASE WHEN entered_at < {finish} AND closed_at >= {start} AND closed_at < {finish} THEN 1 ELSE 0 END AS is_closed,
    CASE WHEN entered_at < {finish} AND (closed_at IS NULL OR closed_at >= {finish}) THEN 1 ELSE 0 END AS is_open,
    CASE WHEN deadline IS NULL THEN 1 ELSE 0 END AS no_deadline,
    CASE WHEN deadline IS NULL THEN 0 ELSE 1 END AS has_deadline,
    CASE WHEN closed_at > deadline AND (NOT {by_dates} OR CAST(closed_at AS DATE) > CAST(deadline AS DATE)) THEN 1
      ELSE 0 END AS ended_late,
    CASE WHEN deadline < {now} AND (NOT {by_dates} OR CAST(deadline AS DATE) < CAST({now} AS DATE)) THEN 1 ELSE 0 END
      AS expired,
    CASE WHEN closed_at < {known} THEN 1 ELSE 0 END AS known_end,
    CASE WHEN (closed_at IS NULL OR closed_at >= {known}) AND deadline < {as_of}
      AND (NOT {by_dates} OR CAST(deadline AS DATE) < CAST({as_of} AS DATE)) THEN 1 ELSE 0 END AS known_overdue
  FROM cases
)
SELECT {by}
  CAST(sum(is_carried) AS BIGINT) AS carried,
  CAST(sum(is_received) AS BIGINT) AS received,
  CAST(sum(is_closed) AS BIGINT) AS closed,
  CAST(sum(is_open) AS BIGINT) AS open,
  CAST(sum(is_open * expired) AS BIGINT) AS open_overdue,
  CAST(sum(is_left_out) AS BIGINT) AS left_out,
  CAST(sum(is_closed * ended_late) AS BIGINT) AS closed_numerator,
  CAST(sum(is_closed * has_deadline) AS BIGINT) AS closed_denominator,
  CAST(sum(is_closed * no_deadline) AS BIGINT) AS closed_missing,
  CAST(sum(is_closed * ended_late + is_open * expired) AS BIGINT) AS gia_lai_numerator,
  CAST(sum((is_carried + is_received) * has_deadline) AS BIGINT) AS gia_lai_denominator,
  CAST(sum((is_carried + is_received) * no_deadline) AS BIGINT) AS gia_lai_missing,
  CAST(sum(is_closed * ended_late + is_open * expired) AS BIGINT) AS due_base_numerator,
  CAST(sum(is_closed * has_deadline + is_open * expired) AS BIGINT) AS due_base_denominator,
  CAST(sum((is_closed + is_open) * no_deadline) AS BIGINT) AS due_base_missing,
  CAST(sum(is_received * (known_end * ended_late + known_overdue)) AS BIGINT) AS cohort_numerator,
  CAST(sum(is_received * (known_end * has_deadline + known_overdue)) AS BIGINT) AS cohort_denominator,
  CAST(sum(is_received * no_deadline) AS BIGINT) AS cohort_missing
FROM flags
{group_by}
