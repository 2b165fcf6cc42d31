-- Requests for supplements: of whom, how often, when and with what words.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, asked (dossiers with a request in the period), asked_again (of them, those for which one of the period was
--   not the first), requests, repeats (requests that were not the first), generic (requests without a reason, or with
--   one that says nothing), last_day (made on the working day of the deadline or after), first_requests (first ones
--   of dossiers received under a rule on them), after_term (of them, those later than the rule's supplement_days working
--   days after reception),
--   answered, days_sum, days_median (working days from a request to its completion, of those answered), received
--   (dossiers received in the period).
-- Parameters: by; generic, reasons in lower case without full stops; start <= t < finish is the period in
--   which a request was made.
WITH asked AS (
  SELECT dossier_id, requested_at, completed_at, old_due_at, replace(lower(trim(reason)), '.', '') AS said,
    ROW_NUMBER() OVER (
      PARTITION BY dossier_id ORDER BY requested_at ASC NULLS LAST, completed_at ASC NULLS LAST
    ) AS nth
  FROM supplements
),
made AS (
  SELECT asked.dossier_id, nth, c3.day_index - c0.day_index AS days,
    CASE WHEN said IS NULL OR said = '' OR said IN ({generic}) THEN 1 ELSE 0 END AS is_generic,
    CASE WHEN c0.day_index >= c2.day_index THEN 1 ELSE 0 END AS is_last_day,
    CASE WHEN nth = 1 AND c1.day_index IS NOT NULL AND supplement_days IS NOT NULL THEN 1 ELSE 0 END AS is_first,
    CASE WHEN nth = 1 AND c0.day_index - c1.day_index > supplement_days THEN 1 ELSE 0 END AS is_after_term
  FROM asked
  JOIN dossiers ON asked.dossier_id = dossiers.dossier_id
  LEFT JOIN deadline_rules ON CAST(received_at AS DATE) = deadline_rules.day
  LEFT JOIN calendar c0 ON c0.office = '' AND CAST(requested_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON c1.office = '' AND CAST(received_at AS DATE) = c1.day
  LEFT JOIN calendar c2 ON c2.office = '' AND CAST(COALESCE(old_due_at, first_due_at, due_at) AS DATE) = c2.day
  LEFT JOIN calendar c3 ON c3.office = '' AND CAST(completed_at AS DATE) = c3.day AND completed_at >= requested_at
  WHERE requested_at >= {start} AND requested_at < {finish}
),
cases AS (
  SELECT {by_source} dossier_id AS id, 0 AS nth, CAST(NULL AS BIGINT) AS days, 0 AS is_generic, 0 AS is_last_day,
    0 AS is_first, 0 AS is_after_term
  FROM dossiers
  WHERE received_at >= {start} AND received_at < {finish}
  UNION ALL
  SELECT {by_source} made.dossier_id, nth, days, is_generic, is_last_day, is_first, is_after_term
  FROM made JOIN dossiers ON made.dossier_id = dossiers.dossier_id
)
SELECT {by}
  count(DISTINCT CASE WHEN nth > 0 THEN id END) AS asked,
  count(DISTINCT CASE WHEN nth > 1 THEN id END) AS asked_again,
  CAST(sum(CASE WHEN nth > 0 THEN 1 ELSE 0 END) AS BIGINT) AS requests,
  CAST(sum(CASE WHEN nth > 1 THEN 1 ELSE 0 END) AS BIGINT) AS repeats,
  CAST(sum(is_generic) AS BIGINT) AS generic,
  CAST(sum(is_last_day) AS BIGINT) AS last_day,
  CAST(sum(is_first) AS BIGINT) AS first_requests,
  CAST(sum(is_after_term) AS BIGINT) AS after_term,
  count(days) AS answered,
  CAST(sum(days) AS BIGINT) AS days_sum,
  median(CAST(days AS DOUBLE)) AS days_median,
  CAST(sum(CASE WHEN nth = 0 THEN 1 ELSE 0 END) AS BIGINT) AS received
FROM cases
{group_by}
