-- Signs of manufactured or broken dossier records.
-- Grain: one row.
-- Columns: of each check, <check> (how many) and <check>_of (among how many).
-- Parameters: ended (statuses); batch, how many closes of a unit within one second are called a batch.
WITH cases AS (
  SELECT received_at, status, responsible_unit, COALESCE(first_due_at, due_at) AS deadline,
    COALESCE(finished_at, returned_at) AS closed_at,
    CASE WHEN status IN ({ended}) THEN 1 ELSE 0 END AS has_ended
  FROM dossiers
),
seconds AS (
  SELECT responsible_unit, date_trunc('second', closed_at) AS moment, count(*) AS closes
  FROM cases WHERE closed_at IS NOT NULL
  GROUP BY responsible_unit, date_trunc('second', closed_at)
),
batches AS (SELECT CAST(sum(closes) AS BIGINT) AS n FROM seconds WHERE closes >= {batch}),
sums AS (
  SELECT count(*) AS dossiers, count(closed_at) AS closed, CAST(sum(has_ended) AS BIGINT) AS ended,
    count(deadline) AS dated, count(received_at) AS received,
    CAST(sum(CASE WHEN closed_at IS NOT NULL AND status IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT) AS closed_with_status,
    CAST(sum(CASE WHEN closed_at IS NOT NULL AND status IS NOT NULL AND has_ended = 0 THEN 1 ELSE 0 END) AS BIGINT)
      AS no_end_status,
    CAST(sum(CASE WHEN closed_at IS NULL AND has_ended = 1 THEN 1 ELSE 0 END) AS BIGINT) AS no_end_date,
    CAST(sum(CASE WHEN closed_at < received_at THEN 1 ELSE 0 END) AS BIGINT) AS closed_before_received,
    CAST(sum(CASE WHEN deadline < received_at THEN 1 ELSE 0 END) AS BIGINT) AS due_before_received,
    CAST(sum(CASE WHEN CAST(EXTRACT(HOUR FROM received_at) AS INT) >= 17 THEN 1 ELSE 0 END) AS BIGINT) AS evening,
    CAST(sum(CASE WHEN calendar.is_work = 0 THEN 1 ELSE 0 END) AS BIGINT) AS day_off
  FROM cases LEFT JOIN calendar ON CAST(closed_at AS DATE) = calendar.day
)
SELECT
  dossiers - received AS no_reception, dossiers AS no_reception_of,
  dossiers - dated AS no_deadline, dossiers AS no_deadline_of,
  COALESCE(no_end_status, 0) AS no_end_status, COALESCE(closed_with_status, 0) AS no_end_status_of,
  COALESCE(no_end_date, 0) AS no_end_date, COALESCE(ended, 0) AS no_end_date_of,
  COALESCE(closed_before_received, 0) AS closed_before_received, closed AS closed_before_received_of,
  COALESCE(due_before_received, 0) AS due_before_received, dated AS due_before_received_of,
  COALESCE(evening, 0) AS evening_reception, received AS evening_reception_of,
  COALESCE(batches.n, 0) AS batch_close, closed AS batch_close_of,
  COALESCE(day_off, 0) AS day_off_close, closed AS day_off_close_of
FROM sums CROSS JOIN batches
