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
  SELECT {by} entered_at, deadline,
    entered_at < {start} AND (closed_at IS NULL OR closed_at >= {start}) AS is_carried,
    entered_at >= {start} AND entered_at < {finish} AS is_received,
    entered_at < {finish} AND closed_at >= {start} AND closed_at < {finish} AS is_closed,
    entered_at < {finish} AND (closed_at IS NULL OR closed_at >= {finish}) AS is_open,
    closed_at > deadline AND (NOT {by_dates} OR CAST(closed_at AS DATE) > CAST(deadline AS DATE)) AS ended_late,
    deadline < {now} AND (NOT {by_dates} OR CAST(deadline AS DATE) < CAST({now} AS DATE)) AS expired,
    closed_at < {known} AS known_end,
    (closed_at IS NULL OR closed_at >= {known}) AND deadline < {as_of}
      AND (NOT {by_dates} OR CAST(deadline AS DATE) < CAST({as_of} AS DATE)) AS known_overdue
  FROM cases
),
-- What the definitions are put together from: a count costs for each row, a sum of counts for each group only.
counts AS (
  SELECT {by} count(*) - count(entered_at) AS left_out,
    count(*) FILTER (WHERE is_carried) AS carried,
    count(*) FILTER (WHERE is_received) AS received,
    count(*) FILTER (WHERE is_closed) AS closed,
    count(*) FILTER (WHERE is_open) AS open,
    count(deadline) FILTER (WHERE is_carried) AS carried_due,
    count(deadline) FILTER (WHERE is_received) AS received_due,
    count(deadline) FILTER (WHERE is_closed) AS closed_due,
    count(deadline) FILTER (WHERE is_open) AS open_due,
    count(*) FILTER (WHERE is_closed AND ended_late) AS closed_late,
    count(*) FILTER (WHERE is_open AND expired) AS open_overdue,
    count(*) FILTER (WHERE is_received AND ((known_end AND ended_late) OR known_overdue)) AS cohort_late,
    count(deadline) FILTER (WHERE is_received AND (known_end OR known_overdue)) AS cohort_due
  FROM flags
  {group_by}
)
SELECT {by} carried, received, closed, open, open_overdue, left_out,
  closed_late AS closed_numerator,
  closed_due AS closed_denominator,
  closed - closed_due AS closed_missing,
  closed_late + open_overdue AS gia_lai_numerator,
  carried_due + received_due AS gia_lai_denominator,
  carried + received - carried_due - received_due AS gia_lai_missing,
  closed_late + open_overdue AS due_base_numerator,
  closed_due + open_overdue AS due_base_denominator,
  closed + open - closed_due - open_due AS due_base_missing,
  cohort_late AS cohort_numerator,
  cohort_due AS cohort_denominator,
  received - received_due AS cohort_missing
FROM counts
