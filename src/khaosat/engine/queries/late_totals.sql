-- What the late dossiers of a period come to, whatever step they passed.
-- Grain: one row.
-- Columns: late (dossiers), overrun (their worked seconds beyond the deadline), by_pause (of them, those whose pauses alone
--   are as long as the overrun).
-- Parameters: none. The table late_steps.
SELECT CAST(sum(is_first) AS BIGINT) AS late, CAST(sum(is_first * overrun) AS BIGINT) AS overrun,
  CAST(sum(CASE WHEN is_first = 1 AND all_paused > 0 AND all_paused >= overrun THEN 1 ELSE 0 END) AS BIGINT) AS by_pause
FROM late_steps
