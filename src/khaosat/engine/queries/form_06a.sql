-- Late dossiers as form II.06a/VPCP/KSTT counts them: dates are compared, not hours; without a due date, withdrawn or
-- not accepted is on time; waiting for a supplement is in time.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, carried (column 6 of the form), received (4 + 5), received_online (4), closed (7), closed_early (8),
--   closed_on_day (9: on the due date, or on time whatever the date), open (11), open_in_time (12), open_overdue (13),
--   left_out, form_06a_numerator (10), form_06a_denominator (7), form_06a_missing (0: the form leaves none out).
-- Parameters: by; dossiers and due (which deadline); ended; start <= t < finish is the period; now; at_snapshot, whether
--   the period reaches the snapshot, so that the status says who is waiting.
WITH waiting AS (
  SELECT dossier_id, count(*) AS requests
  FROM supplements
  WHERE requested_at < {finish} AND (completed_at IS NULL OR completed_at >= {finish})
  GROUP BY dossier_id
),
cases AS (
  SELECT {by_source}
    CASE WHEN COALESCE(finished_at, returned_at) IS NULL AND status IN ({ended}) THEN NULL ELSE received_at END
      AS entered_at,
    COALESCE(finished_at, returned_at) AS closed_at,
    CAST({due} AS DATE) AS deadline,
    CASE WHEN channel = 'online' THEN 1 ELSE 0 END AS is_online,
    CASE WHEN status IN ('withdrawn', 'not_accepted') THEN 0 ELSE 1 END AS may_end_late,
    CASE WHEN waiting.requests > 0 OR ({at_snapshot} AND status = 'supplement_requested') THEN 0 ELSE 1 END
      AS may_be_overdue
  FROM {dossiers} LEFT JOIN waiting ON dossiers.dossier_id = waiting.dossier_id
),
flags AS (
  SELECT {by} is_online, may_end_late, may_be_overdue,
    CASE WHEN entered_at IS NULL THEN 1 ELSE 0 END AS is_left_out,
    CASE WHEN entered_at < {start} AND (closed_at IS NULL OR closed_at >= {start}) THEN 1 ELSE 0 END AS is_carried,
    CASE WHEN entered_at >= {start} AND entered_at < {finish} THEN 1 ELSE 0 END AS is_received,
    CASE WHEN entered_at < {finish} AND closed_at >= {start} AND closed_at < {finish} THEN 1 ELSE 0 END AS is_closed,
    CASE WHEN entered_at < {finish} AND (closed_at IS NULL OR closed_at >= {finish}) THEN 1 ELSE 0 END AS is_open,
    CASE WHEN CAST(closed_at AS DATE) > deadline THEN 1 ELSE 0 END AS ended_late,
    CASE WHEN CAST(closed_at AS DATE) < deadline AND may_end_late = 1 THEN 1 ELSE 0 END AS ended_early,
    CASE WHEN may_end_late = 0 OR deadline IS NULL OR CAST(closed_at AS DATE) = deadline THEN 1 ELSE 0 END
      AS ended_on_day,
    CASE WHEN deadline < CAST({now} AS DATE) THEN 1 ELSE 0 END AS expired
  FROM cases
)
SELECT {by}
  CAST(sum(is_carried) AS BIGINT) AS carried,
  CAST(sum(is_received) AS BIGINT) AS received,
  CAST(sum(is_received * is_online) AS BIGINT) AS received_online,
  CAST(sum(is_closed) AS BIGINT) AS closed,
  CAST(sum(is_closed * ended_early) AS BIGINT) AS closed_early,
  CAST(sum(is_closed * ended_on_day) AS BIGINT) AS closed_on_day,
  CAST(sum(is_open) AS BIGINT) AS open,
  CAST(sum(is_open * (1 - expired * may_be_overdue)) AS BIGINT) AS open_in_time,
  CAST(sum(is_open * expired * may_be_overdue) AS BIGINT) AS open_overdue,
  CAST(sum(is_left_out) AS BIGINT) AS left_out,
  CAST(sum(is_closed * ended_late * may_end_late) AS BIGINT) AS form_06a_numerator,
  CAST(sum(is_closed) AS BIGINT) AS form_06a_denominator,
  CAST(sum(0) AS BIGINT) AS form_06a_missing
FROM flags
{group_by}
