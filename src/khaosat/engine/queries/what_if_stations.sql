-- Who joined which queue when: steps at the units where enough dossiers have waited for the work to begin.
-- Grain: one row a step with a start and an end that was in hand from `since` to before `finish`.
-- Columns: unit, step ('': not recorded), joined (reading of the clock of the unit's office: when the step began, less its
--   wait); in worked seconds, without pauses, waited and handled; officers (different ones at this step and unit).
-- Parameters: since, finish; pausing, statuses of a step with the applicant; least, so many must have waited; placeholders,
--   names that stand for no officer, in lower case. The tables spans and pauses.
WITH held AS (
  SELECT COALESCE(unit, '') AS unit, COALESCE(step, '') AS step, began_seconds, ended_seconds - began_seconds
      - LEAST(COALESCE(of_handling, 0), ended_seconds - began_seconds) AS handled,
    waiting_seconds - LEAST(COALESCE(of_waiting, 0), waiting_seconds) AS waited,
    CASE WHEN trim(COALESCE(officer, '')) <> '' AND lower(trim(officer)) NOT IN ({placeholders}) THEN officer END AS officer
  FROM spans LEFT JOIN pauses ON spans.dossier_id = pauses.dossier_id AND spans.seq = pauses.seq
  WHERE started_at <= finished_at AND finished_at >= {since} AND started_at < {finish}
    AND COALESCE(step_status, '') NOT IN ({pausing}) AND ended_seconds IS NOT NULL AND waiting_seconds IS NOT NULL
),
queues AS (
  SELECT unit, step, count(DISTINCT officer) AS officers
  FROM held
  GROUP BY unit, step
  HAVING CAST(sum(CASE WHEN waited > 0 THEN 1 ELSE 0 END) AS BIGINT) >= {least}
)
SELECT held.unit, held.step, began_seconds - waited AS joined, waited, handled, officers
FROM held JOIN queues ON held.unit = queues.unit AND held.step = queues.step
ORDER BY held.unit ASC NULLS LAST, held.step ASC NULLS LAST, joined ASC NULLS LAST, began_seconds ASC NULLS LAST,
  handled ASC NULLS LAST, waited ASC NULLS LAST
