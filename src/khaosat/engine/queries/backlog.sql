-- What enters and leaves the stock of open and of open overdue dossiers, month by month (add and subtract: the running
-- sums of these flows are the stocks at the months' ends, without comparing each dossier with each month).
-- Grain: one row a group of `by` and step of the calendar in which something happens.
-- Columns: by…, step (first day of the month or quarter), received, closed, overdue_in, overdue_out, left_out.
-- Parameters: by; dossiers and due (which deadline); ended; step ('month' or 'quarter'); known, the first moment the log
--   knows nothing of; as_of.
WITH cases AS (
  SELECT {by_source}
    CASE WHEN COALESCE(finished_at, returned_at) IS NULL AND status IN ({ended}) THEN NULL ELSE received_at END
      AS entered_at,
    CASE WHEN COALESCE(finished_at, returned_at) < {known} THEN COALESCE(finished_at, returned_at) END AS closed_at,
    CASE WHEN {due} < {as_of} THEN {due} END AS expired_at
  FROM {dossiers}
),
-- A dossier cannot leave before it came: one that is dated so leaves in the month of its reception.
cells AS (
  SELECT {by}
    CAST(date_trunc({step}, entered_at) AS DATE) AS came,
    CAST(date_trunc({step}, CASE WHEN closed_at < entered_at THEN entered_at ELSE closed_at END) AS DATE) AS went,
    CAST(date_trunc({step}, CASE WHEN expired_at < entered_at THEN entered_at ELSE expired_at END) AS DATE) AS expired,
    count(*) AS n
  FROM cases
  WHERE entered_at IS NULL OR entered_at < {known}
  GROUP BY {by}
    CAST(date_trunc({step}, entered_at) AS DATE),
    CAST(date_trunc({step}, CASE WHEN closed_at < entered_at THEN entered_at ELSE closed_at END) AS DATE),
    CAST(date_trunc({step}, CASE WHEN expired_at < entered_at THEN entered_at ELSE expired_at END) AS DATE)
),
flows AS (
  SELECT {by} came AS step, n AS received, 0 AS closed, 0 AS overdue_in, 0 AS overdue_out, 0 AS left_out
  FROM cells WHERE came IS NOT NULL
  UNION ALL
  SELECT {by} went, 0, n, 0, 0, 0 FROM cells WHERE came IS NOT NULL AND went IS NOT NULL
  UNION ALL
  SELECT {by} expired, 0, 0, n, 0, 0
  FROM cells WHERE came IS NOT NULL AND expired IS NOT NULL AND (went IS NULL OR went > expired)
  UNION ALL
  SELECT {by} went, 0, 0, 0, n, 0
  FROM cells WHERE came IS NOT NULL AND expired IS NOT NULL AND went > expired
  UNION ALL
  SELECT {by} came, 0, 0, 0, 0, n FROM cells WHERE came IS NULL
)
SELECT {by} step,
  CAST(sum(received) AS BIGINT) AS received,
  CAST(sum(closed) AS BIGINT) AS closed,
  CAST(sum(overdue_in) AS BIGINT) AS overdue_in,
  CAST(sum(overdue_out) AS BIGINT) AS overdue_out,
  CAST(sum(left_out) AS BIGINT) AS left_out
FROM flows
GROUP BY {by} step
