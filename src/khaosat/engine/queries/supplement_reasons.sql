-- The commonest reasons given for requests of supplements, word for word.
-- Grain: one row a reason, the `top` commonest.
-- Columns: reason, n, is_generic (says nothing: one of `generic`).
-- Parameters: generic, reasons in lower case without full stops; least, requests that a reason must have; top;
--   start <= t < finish is the period in which a request was made.
WITH made AS (
  SELECT trim(reason) AS reason,
    CASE WHEN replace(lower(trim(reason)), '.', '') IN ({generic}) THEN 1 ELSE 0 END AS is_generic
  FROM supplements
  WHERE requested_at >= {start} AND requested_at < {finish} AND trim(reason) <> ''
)
SELECT reason, count(*) AS n, max(is_generic) AS is_generic
FROM made
GROUP BY reason
HAVING count(*) >= {least}
ORDER BY n DESC NULLS LAST, reason ASC NULLS LAST
LIMIT {top}
