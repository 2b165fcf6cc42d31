-- The three deadlines of each dossier, as known at the snapshot: the first appointment, what the law makes of it
-- (restart after a lawful supplement, one lawful re-appointment), and what the national portal makes of it (pause).
-- Other queries read it in place of `dossiers` when they judge by the effective or the portal's deadline.
-- Grain: one row a dossier.
-- Columns: those of dossiers, then original_due, effective_due, portal_due, rule and portal_rule (ids of the rules in
--   force on the day of reception, null before the first), effective_reason and portal_reason (facts/codes).
-- Parameters: as_of, the snapshot, up to which an unanswered request of an open dossier goes on.
WITH held AS (
  SELECT dossier_id, responsible_unit, received_at, COALESCE(first_due_at, due_at) AS original_due,
    COALESCE(finished_at, returned_at) AS closed_at
  FROM dossiers
),
-- Requests and re-appointments count while the dossier is in hand: the first of each, and whether a second came.
asked AS (
  SELECT held.dossier_id, requested_at, completed_at,
    ROW_NUMBER() OVER (
      PARTITION BY held.dossier_id ORDER BY requested_at ASC NULLS LAST, completed_at ASC NULLS LAST
    ) AS nth
  FROM supplements JOIN held ON supplements.dossier_id = held.dossier_id
  WHERE requested_at >= received_at AND (closed_at IS NULL OR requested_at < closed_at)
),
requests AS (
  SELECT dossier_id,
    max(CASE WHEN nth = 1 THEN requested_at END) AS requested_at,
    max(CASE WHEN nth = 1 THEN completed_at END) AS completed_at,
    max(CASE WHEN nth = 2 THEN requested_at END) AS again_at
  FROM asked
  WHERE nth <= 2
  GROUP BY dossier_id
),
moved AS (
  SELECT held.dossier_id, changed_at, new_due_at, apology_sent_at,
    ROW_NUMBER() OVER (
      PARTITION BY held.dossier_id ORDER BY changed_at ASC NULLS LAST, new_due_at ASC NULLS LAST,
        apology_sent_at ASC NULLS LAST
    ) AS nth
  FROM appointments JOIN held ON appointments.dossier_id = held.dossier_id
  WHERE changed_at >= received_at AND (closed_at IS NULL OR changed_at < closed_at)
),
changes AS (SELECT dossier_id, changed_at, new_due_at, apology_sent_at FROM moved WHERE nth = 1),
touched AS (
  SELECT held.dossier_id, received_at, original_due, requested_at, again_at, changed_at, new_due_at,
    CASE WHEN completed_at IS NOT NULL AND (closed_at IS NULL OR completed_at < closed_at) THEN completed_at
      ELSE COALESCE(closed_at, {as_of}) END AS until_at,
    CASE WHEN apology = 0 OR apology_sent_at <= changed_at THEN changed_at ELSE apology_sent_at END AS notice_at,
    COALESCE(offices.office, '') AS office, deadline_rules.rule, portal_rule, supplement_days, notice_days
  FROM held
  LEFT JOIN requests ON held.dossier_id = requests.dossier_id
  LEFT JOIN changes ON held.dossier_id = changes.dossier_id
  LEFT JOIN offices ON responsible_unit = offices.unit
  LEFT JOIN deadline_rules ON CAST(received_at AS DATE) = deadline_rules.day
  WHERE original_due IS NOT NULL AND (requested_at IS NOT NULL OR changed_at IS NOT NULL)
),
counted AS (
  SELECT touched.*, c1.day_index - c0.day_index AS term, c3.day_index + (c1.day_index - c0.day_index) AS restart_index,
    CASE WHEN requested_at <= original_due AND until_at >= requested_at
      AND c2.day_index - c0.day_index <= supplement_days THEN 1 ELSE 0 END AS restarts
  FROM touched
  LEFT JOIN calendar c0 ON touched.office = c0.office AND CAST(received_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON touched.office = c1.office AND CAST(original_due AS DATE) = c1.day
  LEFT JOIN calendar c2 ON touched.office = c2.office AND CAST(requested_at AS DATE) = c2.day
  LEFT JOIN calendar c3 ON touched.office = c3.office AND CAST(until_at AS DATE) = c3.day
),
-- A term of working days ends on a day found by its number, at the hour of the appointment; a term within one day keeps
-- its length in hours.
restarted AS (
  SELECT counted.*,
    CASE
      WHEN restarts = 0 THEN original_due
      WHEN term < 1 THEN GREATEST(original_due, until_at + (original_due - received_at))
      WHEN target.day IS NULL THEN original_due
      ELSE GREATEST(original_due,
        CAST(target.day AS TIMESTAMP) + (original_due - CAST(CAST(original_due AS DATE) AS TIMESTAMP)))
    END AS restarted_due
  FROM counted
  LEFT JOIN calendar target
    ON counted.office = target.office AND counted.restart_index = target.day_index AND target.is_work = 1
),
extended AS (
  SELECT restarted.*,
    CASE WHEN new_due_at > restarted_due AND c1.day_index - c0.day_index >= notice_days THEN 1 ELSE 0 END AS extends,
    CASE WHEN until_at > requested_at THEN original_due + (until_at - requested_at) ELSE original_due END AS paused_due
  FROM restarted
  LEFT JOIN calendar c0 ON restarted.office = c0.office AND CAST(notice_at AS DATE) = c0.day
  LEFT JOIN calendar c1 ON restarted.office = c1.office AND CAST(restarted_due AS DATE) = c1.day
),
moved_dues AS (
  SELECT dossier_id,
    CASE WHEN extends = 1 THEN new_due_at ELSE restarted_due END AS effective_due,
    CASE
      WHEN portal_rule IS NULL OR requested_at IS NULL THEN original_due
      WHEN again_at < paused_due THEN again_at
      ELSE paused_due
    END AS portal_due,
    CASE
      WHEN restarts = 1 AND extends = 1 THEN 'restart_extension'
      WHEN restarts = 1 THEN 'restart'
      WHEN extends = 1 THEN 'extension'
      WHEN rule IS NULL THEN 'no_rule'
      WHEN requested_at IS NOT NULL THEN 'request_not_counted'
      ELSE 'extension_not_counted'
    END AS effective_reason,
    CASE
      WHEN requested_at IS NULL THEN 'none'
      WHEN portal_rule IS NULL THEN 'no_rule'
      WHEN again_at IS NOT NULL THEN 'second_request'
      ELSE 'pause'
    END AS portal_reason
  FROM extended
)
SELECT dossiers.*, COALESCE(first_due_at, due_at) AS original_due,
  COALESCE(effective_due, first_due_at, due_at) AS effective_due,
  COALESCE(portal_due, first_due_at, due_at) AS portal_due,
  deadline_rules.rule, portal_rule,
  COALESCE(effective_reason, 'none') AS effective_reason,
  COALESCE(portal_reason, 'none') AS portal_reason
FROM dossiers
LEFT JOIN moved_dues ON dossiers.dossier_id = moved_dues.dossier_id
LEFT JOIN deadline_rules ON CAST(received_at AS DATE) = deadline_rules.day
