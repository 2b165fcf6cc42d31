-- What is owed for a late dossier: a letter of apology in time and with its contents, one re-appointment, kept.
-- Late: closed in the period after its deadline, or open and overdue at its end.
-- Grain: one row a group of `by`; one row in all without `by`.
-- Columns: by…, late (dossiers); of them those with a letter sent before the period's end (sent), sent so many working
--   days before the deadline as the rule in force on the day of reception asks (in_time), giving a reason (with_reason)
--   and a new date after the letter (with_date), all three (contents), a reason that is no boiler-plate (specific);
--   re-appointed no more often than `most` (once); with a new date that can be judged (promised), kept (kept); all of
--   these, a new date yet to come being no breach (fulfilled).
-- Parameters: by; due (which deadline); ended; start <= t < finish is the period; now, at which open dossiers are
--   judged; notice, working days of notice where no rule was in force; most; generic, reasons that say nothing; a reason
--   in at least `least` letters and in `permille` of a thousand is a template, which is boiler-plate too. Reasons are
--   compared in lower case, without full stops, commas and double spaces.
WITH cases AS (
  SELECT {by_source} dossier_id AS id, received_at AS taken_at, responsible_unit AS judged_unit, {due} AS deadline,
    CASE WHEN COALESCE(finished_at, returned_at) < {finish} THEN COALESCE(finished_at, returned_at) END AS closed_at
  FROM dossiers
  WHERE received_at < {finish}
    AND NOT (COALESCE(finished_at, returned_at) IS NULL AND COALESCE(status, '') IN ({ended}))
),
late AS (
  SELECT cases.*, COALESCE(offices.office, '') AS office
  FROM cases LEFT JOIN offices ON judged_unit = offices.unit
  WHERE (closed_at >= {start} AND closed_at > deadline) OR (closed_at IS NULL AND deadline < {now})
),
entries AS (
  SELECT late.id, taken_at, closed_at, changed_at, old_due_at, new_due_at, apology_sent_at,
    trim(replace(replace(replace(lower(COALESCE(reason, '')), '.', ''), ',', ''), '  ', ' ')) AS said
  FROM appointments JOIN late ON appointments.dossier_id = late.id
  WHERE COALESCE(changed_at, apology_sent_at) < {finish}
),
ordered AS (
  SELECT id, apology_sent_at, new_due_at, said,
    ROW_NUMBER() OVER (
      PARTITION BY id
      ORDER BY apology_sent_at ASC NULLS LAST, changed_at ASC NULLS LAST, new_due_at ASC NULLS LAST, said ASC NULLS LAST
    ) AS nth
  FROM entries
  WHERE apology_sent_at >= taken_at AND apology_sent_at < {finish}
),
letters AS (
  SELECT id AS letter_id, apology_sent_at, new_due_at, said,
    count(*) OVER (PARTITION BY said) AS copies,
    CAST(sum(CASE WHEN said <> '' THEN 1 ELSE 0 END) OVER () AS BIGINT) AS given
  FROM ordered
  WHERE nth = 1
),
moves AS (
  SELECT id, new_due_at,
    ROW_NUMBER() OVER (
      PARTITION BY id ORDER BY COALESCE(changed_at, apology_sent_at) ASC NULLS LAST, new_due_at ASC NULLS LAST
    ) AS nth
  FROM entries
  WHERE new_due_at IS NOT NULL AND (old_due_at IS NULL OR new_due_at <> old_due_at)
    AND COALESCE(changed_at, apology_sent_at) >= taken_at
    AND (closed_at IS NULL OR COALESCE(changed_at, apology_sent_at) < closed_at)
),
dates AS (
  SELECT id AS moved_id, count(*) AS times, max(CASE WHEN nth = 1 THEN new_due_at END) AS promised_at
  FROM moves
  GROUP BY id
),
duties AS (
  SELECT late.*,
    CASE WHEN apology_sent_at IS NOT NULL THEN 1 ELSE 0 END AS sent,
    CASE WHEN c1.day_index - c0.day_index >= COALESCE(notice_days, {notice}) THEN 1 ELSE 0 END AS in_time,
    CASE WHEN said <> '' THEN 1 ELSE 0 END AS with_reason,
    CASE WHEN new_due_at > apology_sent_at THEN 1 ELSE 0 END AS with_date,
    CASE WHEN said <> '' AND said NOT IN ({generic})
      AND NOT (copies >= {least} AND 1000 * copies >= {permille} * given) THEN 1 ELSE 0 END AS specific,
    CASE WHEN COALESCE(times, 0) <= {most} THEN 1 ELSE 0 END AS once,
    CASE WHEN promised_at IS NOT NULL AND (closed_at IS NOT NULL OR promised_at < {now}) THEN 1 ELSE 0 END AS promised,
    CASE WHEN closed_at <= promised_at THEN 1 ELSE 0 END AS kept
  FROM late
  LEFT JOIN letters ON late.id = letter_id
  LEFT JOIN dates ON late.id = moved_id
  LEFT JOIN deadline_rules ON CAST(taken_at AS DATE) = deadline_rules.day
  LEFT JOIN calendar c0 ON late.office = c0.office AND CAST(apology_sent_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON late.office = c1.office AND CAST(deadline AS DATE) = c1.day
)
SELECT {by} count(*) AS late,
  CAST(sum(sent) AS BIGINT) AS sent,
  CAST(sum(in_time) AS BIGINT) AS in_time,
  CAST(sum(with_reason) AS BIGINT) AS with_reason,
  CAST(sum(with_date) AS BIGINT) AS with_date,
  CAST(sum(with_reason * with_date) AS BIGINT) AS contents,
  CAST(sum(specific) AS BIGINT) AS specific,
  CAST(sum(once) AS BIGINT) AS once,
  CAST(sum(promised) AS BIGINT) AS promised,
  CAST(sum(kept) AS BIGINT) AS kept,
  CAST(sum(in_time * with_date * specific * once * (1 - promised + kept)) AS BIGINT) AS fulfilled
FROM duties
{group_by}
