-- The reasons recorded for late dossiers, word for word: that of the first entry on the appointment that gives one.
-- Late: closed in the period after its deadline, or open and overdue at its end.
-- Grain: one row a group of `by` and reason, the `top` commonest; without a reason, null.
-- Columns: by…, reason (in lower case, without full stops, commas and double spaces), n (dossiers).
-- Parameters: by; due (which deadline); ended; start <= t < finish is the period; now, at which open dossiers are
--   judged; top.
WITH cases AS (
  SELECT {by_source} dossier_id AS id, {due} AS deadline,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at < {finish}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
late AS (
  SELECT * FROM cases
  WHERE (closed_at >= {start} AND closed_at > deadline) OR (closed_at IS NULL AND deadline < {now})
),
entries AS (
  SELECT dossier_id, COALESCE(changed_at, apology_sent_at) AS said_at,
    trim(replace(replace(replace(lower(COALESCE(reason, '')), '.', ''), ',', ''), '  ', ' ')) AS said
  FROM appointments
),
ordered AS (
  SELECT dossier_id, said,
    ROW_NUMBER() OVER (PARTITION BY dossier_id ORDER BY said_at ASC NULLS LAST, said ASC NULLS LAST) AS nth
  FROM entries
  WHERE said <> '' AND said_at < {finish}
),
explained AS (
  SELECT late.*, said AS reason
  FROM late LEFT JOIN ordered ON late.id = ordered.dossier_id AND nth = 1
)
SELECT {by} reason, count(*) AS n
FROM explained
GROUP BY {by} reason
ORDER BY n DESC NULLS LAST, {by} reason ASC NULLS LAST
LIMIT {top}
