"""A hand-made log of a quarter with one dossier of each kind that the forms tell apart."""

from __future__ import annotations

import datetime as dt

import pandas as pd

AS_OF = dt.datetime(2026, 10, 15, 17)


def _frame() -> pd.DataFrame:
    columns = ["dossier_id", "field", "responsible_unit", "channel", "received_at", "due_at", "finished_at", "status"]
    rows = [
        # carried over and closed late; received and closed early, on the day, after the hour but on the day
        ("late", "Đất đai", "Sở Nông nghiệp", "direct", "2026-05-04", "2026-07-01 17:00", "2026-08-12", "returned"),
        ("early", "Đất đai", "Phường Bến", "online", "2026-07-06", "2026-07-20 17:00", "2026-07-17", "returned"),
        ("hour", "Hộ tịch", "Phường Bến", "online", "2026-07-06", "2026-07-08 17:00", "2026-07-08 19:00", "returned"),
        # without a channel; open and in time; open and overdue since before the quarter
        ("plain", "Hộ tịch", "Xã Tân Nhựt", None, "2026-08-03", "2026-08-05 17:00", "2026-08-05 09:00", "returned"),
        ("open", "Hộ tịch", None, "online", "2026-09-28", "2026-10-12 17:00", None, "processing"),
        ("stuck", "Đất đai", "Sở Nông nghiệp", "post", "2026-04-06", "2026-04-20 17:00", None, "processing"),
        # received in the quarter, without a due date: on time for the form, in no rate of the portal
        ("undated", "Đất đai", "Sở Nông nghiệp", "direct", "2026-08-10", None, "2026-08-20", "withdrawn"),
        # of another quarter
        ("before", "Hộ tịch", "Xã Tân Nhựt", "online", "2026-03-02", "2026-03-04", "2026-03-03", "returned"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("received_at", "due_at", "finished_at"):
        frame[name] = pd.to_datetime(frame[name], format="mixed")
    return frame


ROWS = _frame()
