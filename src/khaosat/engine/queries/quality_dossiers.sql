-- Signs of manufactured or broken dossier records.
-- Grain: one row.
-- Columns: of each check, <check> (how many), <check>_of (among how many), and where the first and the last of them
--   stand in the source (<check>_first, <check>_last: file and row, in the order of their text; no personal data).
-- Parameters: ended (statuses); batch, how many closes of a unit within one second are called a batch; last_minutes,
--   how many worked minutes before the deadline are its last.
WITH recorded AS (SELECT count(returned_at) AS returns FROM dossiers),
cases AS (
  SELECT received_at, status, procedure, receiving_unit, responsible_unit, first_due_at, due_at, returned_at, returns,
    COALESCE(first_due_at, due_at) AS deadline, COALESCE(finished_at, returned_at) AS closed_at,
    COALESCE(offices.office, '') AS office,
    CASE WHEN status IN ({ended}) THEN 1 ELSE 0 END AS has_ended,
    -- Reception at midnight is a date without an hour.
    CASE WHEN received_at > CAST(CAST(received_at AS DATE) AS TIMESTAMP) THEN 1 ELSE 0 END AS timed,
    -- Codes such as H99.01-241001-0001 carry the day of reception.
    CASE WHEN length(split_part(dossier_id, '-', 2)) = 6 AND length(split_part(dossier_id, '-', 3)) > 0
      AND length(translate(split_part(dossier_id, '-', 2), '0123456789', '')) = 0
      THEN split_part(dossier_id, '-', 2) END AS id_day,
    lpad(CAST((CAST(EXTRACT(YEAR FROM received_at) AS BIGINT) - 2000) * 10000
      + CAST(EXTRACT(MONTH FROM received_at) AS BIGINT) * 100 + CAST(EXTRACT(DAY FROM received_at) AS BIGINT)
      AS VARCHAR(20)), 6, '0') AS received_day,
    CASE WHEN source_file IS NOT NULL AND source_row IS NOT NULL
      THEN concat(source_file, ' #', CAST(source_row AS VARCHAR(20))) ELSE '' END AS place
  FROM dossiers CROSS JOIN recorded LEFT JOIN offices ON responsible_unit = offices.unit
),
moments AS (
  SELECT cases.*,
    CAST(EXTRACT(HOUR FROM closed_at) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM closed_at) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM closed_at)) AS BIGINT) AS close_second,
    CAST(EXTRACT(HOUR FROM deadline) AS BIGINT) * 3600 + CAST(EXTRACT(MINUTE FROM deadline) AS BIGINT) * 60
      + CAST(floor(EXTRACT(SECOND FROM deadline)) AS BIGINT) AS due_second
  FROM cases
),
clocked AS (
  SELECT moments.*, c0.is_work AS close_work,
    c1.cum_minutes * 60 + GREATEST(LEAST(due_second, c1.close_1 * 60) - c1.open_1 * 60, 0)
      + GREATEST(LEAST(due_second, c1.close_2 * 60) - c1.open_2 * 60, 0)
      - (c0.cum_minutes * 60 + GREATEST(LEAST(close_second, c0.close_1 * 60) - c0.open_1 * 60, 0)
      + GREATEST(LEAST(close_second, c0.close_2 * 60) - c0.open_2 * 60, 0)) AS spare
  FROM moments
  LEFT JOIN calendar c0 ON moments.office = c0.office AND CAST(closed_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON moments.office = c1.office AND CAST(deadline AS DATE) = c1.day
),
flags AS (
  SELECT received_at, closed_at, deadline, returned_at, returns, status, has_ended, timed, id_day, received_day,
    CASE WHEN received_at IS NULL THEN place END AS no_reception,
    CASE WHEN deadline IS NULL THEN place END AS no_deadline,
    CASE WHEN closed_at IS NOT NULL AND status IS NOT NULL AND has_ended = 0 THEN place END AS no_end_status,
    CASE WHEN closed_at IS NULL AND has_ended = 1 THEN place END AS no_end_date,
    CASE WHEN status IN ('finished', 'returned') AND returned_at IS NULL AND returns > 0
      THEN place END AS no_return_date,
    CASE WHEN closed_at < received_at THEN place END AS closed_before_received,
    CASE WHEN deadline < received_at THEN place END AS due_before_received,
    CASE WHEN timed = 1 AND date_trunc('minute', closed_at) = date_trunc('minute', received_at)
      THEN place END AS closed_at_once,
    CASE WHEN timed = 1 AND deadline IS NULL AND date_trunc('minute', closed_at) = date_trunc('minute', received_at)
      THEN place END AS undated_closed_at_once,
    CASE WHEN CAST(EXTRACT(HOUR FROM received_at) AS INT) >= 17 THEN place END AS evening_reception,
    CASE WHEN timed = 1 AND CAST(EXTRACT(HOUR FROM received_at) AS INT) < 6 THEN place END AS night_reception,
    CASE WHEN id_day <> received_day THEN place END AS id_date_mismatch,
    CASE WHEN due_at <> first_due_at THEN place END AS due_moved,
    CASE WHEN close_work = 0 THEN place END AS day_off_close,
    CASE WHEN closed_at <= deadline AND spare <= {last_minutes} * 60 THEN place END AS last_hours_close
  FROM clocked
),
sums AS (
  SELECT
    count(no_reception) AS no_reception, count(*) AS no_reception_of,
      min(no_reception) AS no_reception_first, max(no_reception) AS no_reception_last,
    count(no_deadline) AS no_deadline, count(*) AS no_deadline_of,
      min(no_deadline) AS no_deadline_first, max(no_deadline) AS no_deadline_last,
    count(no_end_status) AS no_end_status,
      count(CASE WHEN closed_at IS NOT NULL AND status IS NOT NULL THEN 1 END) AS no_end_status_of,
      min(no_end_status) AS no_end_status_first, max(no_end_status) AS no_end_status_last,
    count(no_end_date) AS no_end_date, count(CASE WHEN has_ended = 1 THEN 1 END) AS no_end_date_of,
      min(no_end_date) AS no_end_date_first, max(no_end_date) AS no_end_date_last,
    count(no_return_date) AS no_return_date,
      count(CASE WHEN status IN ('finished', 'returned') AND returns > 0 THEN 1 END) AS no_return_date_of,
      min(no_return_date) AS no_return_date_first, max(no_return_date) AS no_return_date_last,
    count(closed_before_received) AS closed_before_received, count(closed_at) AS closed_before_received_of,
      min(closed_before_received) AS closed_before_received_first, max(closed_before_received) AS closed_before_received_last,
    count(due_before_received) AS due_before_received, count(deadline) AS due_before_received_of,
      min(due_before_received) AS due_before_received_first, max(due_before_received) AS due_before_received_last,
    count(closed_at_once) AS closed_at_once,
      count(CASE WHEN timed = 1 AND closed_at IS NOT NULL THEN 1 END) AS closed_at_once_of,
      min(closed_at_once) AS closed_at_once_first, max(closed_at_once) AS closed_at_once_last,
    count(undated_closed_at_once) AS undated_closed_at_once,
      count(CASE WHEN timed = 1 AND closed_at IS NOT NULL AND deadline IS NULL THEN 1 END) AS undated_closed_at_once_of,
      min(undated_closed_at_once) AS undated_closed_at_once_first, max(undated_closed_at_once) AS undated_closed_at_once_last,
    count(evening_reception) AS evening_reception, count(received_at) AS evening_reception_of,
      min(evening_reception) AS evening_reception_first, max(evening_reception) AS evening_reception_last,
    count(night_reception) AS night_reception, count(CASE WHEN timed = 1 THEN 1 END) AS night_reception_of,
      min(night_reception) AS night_reception_first, max(night_reception) AS night_reception_last,
    count(id_date_mismatch) AS id_date_mismatch,
      count(CASE WHEN received_day IS NOT NULL THEN id_day END) AS id_date_mismatch_of,
      min(id_date_mismatch) AS id_date_mismatch_first, max(id_date_mismatch) AS id_date_mismatch_last,
    count(due_moved) AS due_moved, count(deadline) AS due_moved_of,
      min(due_moved) AS due_moved_first, max(due_moved) AS due_moved_last,
    count(day_off_close) AS day_off_close, count(closed_at) AS day_off_close_of,
      min(day_off_close) AS day_off_close_first, max(day_off_close) AS day_off_close_last,
    count(last_hours_close) AS last_hours_close,
      count(CASE WHEN closed_at IS NOT NULL AND deadline IS NOT NULL THEN 1 END) AS last_hours_close_of,
      min(last_hours_close) AS last_hours_close_first, max(last_hours_close) AS last_hours_close_last
  FROM flags
),
seconds AS (
  SELECT responsible_unit, date_trunc('second', closed_at) AS moment, count(*) AS n, min(place) AS first_place,
    max(place) AS last_place
  FROM cases WHERE closed_at IS NOT NULL
  GROUP BY responsible_unit, date_trunc('second', closed_at)
),
batches AS (
  SELECT COALESCE(CAST(sum(CASE WHEN n >= {batch} THEN n END) AS BIGINT), 0) AS batch_close,
    COALESCE(CAST(sum(n) AS BIGINT), 0) AS batch_close_of,
    min(CASE WHEN n >= {batch} THEN first_place END) AS batch_close_first,
    max(CASE WHEN n >= {batch} THEN last_place END) AS batch_close_last
  FROM seconds
),
-- One dossier under two codes: the same procedure, counter, office and second of reception.
receptions AS (
  SELECT procedure, receiving_unit, responsible_unit, received_at, count(*) AS n, min(place) AS first_place,
    max(place) AS last_place
  FROM cases WHERE timed = 1 AND procedure IS NOT NULL
  GROUP BY procedure, receiving_unit, responsible_unit, received_at
),
twins AS (
  SELECT COALESCE(CAST(sum(CASE WHEN n > 1 THEN n END) AS BIGINT), 0) AS twin_dossier,
    COALESCE(CAST(sum(n) AS BIGINT), 0) AS twin_dossier_of,
    min(CASE WHEN n > 1 THEN first_place END) AS twin_dossier_first,
    max(CASE WHEN n > 1 THEN last_place END) AS twin_dossier_last
  FROM receptions
)
SELECT * FROM sums CROSS JOIN batches CROSS JOIN twins
