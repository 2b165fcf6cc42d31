"""Small surveys for the tests: a multistage sample, a questionnaire with a skip rule."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from khaosat.domain.questionnaire import Questionnaire
from khaosat.domain.survey import Design, Survey

DESIGN = Design(weights="w", strata="h", clusters=["c", "v"], fpc=["big_n", "big_m"], nest=True)


def drawn(seed: int, *, n_strata: int = 2, design: Design = DESIGN) -> Survey:
    """Strata of clusters of villages, with weights, item non-response and a group that cuts across."""
    rng = np.random.default_rng(seed)
    rows = [
        {"h": h, "c": c, "v": v, "big_n": 9 + h, "big_m": 6 + c, "w": w}
        for h in range(n_strata)
        for c in range(int(rng.integers(2, 5)))
        for v in range(int(rng.integers(2, 4)))
        for w in rng.uniform(1, 9, int(rng.integers(1, 5)))
    ]
    frame = pd.DataFrame(rows)
    n = len(frame)
    frame["y"] = np.where(rng.random(n) < 0.1, np.nan, rng.integers(1, 6, n))
    frame["x"] = rng.uniform(1, 5, n)
    frame["g"] = rng.choice(["a", "b", "c"], n)
    return Survey(responses=frame, design=design)


@cache
def questionnaire(*, index_rule: str = "pooled_items", overall: str | None = None) -> Questionnaire:
    """Two parts: policy (factor p: p1 p2; overall question p0) and service (factors s: s1 s2; f: f1, asked after a
    complaint only)."""
    items = [
        ("overall", "satisfaction", "", "", ""), ("p0", "satisfaction", "policy", "", ""),
        ("p1", "satisfaction", "", "p", ""), ("p2", "satisfaction", "", "p", ""),
        ("s1", "satisfaction", "", "s", ""), ("s2", "satisfaction", "", "s", ""),
        ("f1", "satisfaction", "", "f", "${complained} = '1'"),
    ]  # fmt: skip
    questions = pd.DataFrame(
        [("select_one scale", name, f"Câu {name}", f"Question {name}", block, part, factor, relevant, "khaosat")
         for name, block, part, factor, relevant in items]
        + [("select_one yes_no", "complained", "Có phản ánh", "Complained", "profile", "", "", "", "khaosat"),
           ("integer", "age", "Tuổi", "Age", "profile", "", "", "", "khaosat"),
           ("select_multiple wish", "wishes", "Mong đợi", "Wishes", "expectation", "", "", "", "khaosat"),
           ("text", "comment", "Ý kiến khác", "Comment", "profile", "", "", "", "khaosat")],
        columns=["type", "name", "label::vi", "label::en", "block", "part", "factor", "relevant", "wording"],
    )  # fmt: skip
    choices = pd.DataFrame(
        [("scale", "1", "Rất không hài lòng", "Very dissatisfied", ""),
         ("scale", "2", "Không hài lòng", "Dissatisfied", ""), ("scale", "3", "Bình thường", "Neutral", ""),
         ("scale", "4", "Hài lòng", "Satisfied", "satisfied"),
         ("scale", "5", "Rất hài lòng", "Very satisfied", "satisfied"),
         ("scale", "9", "Không biết", "Don't know", "dont_know"),
         ("yes_no", "1", "Có", "Yes", ""), ("yes_no", "2", "Không", "No", ""),
         ("wish", "1", "Nhanh hơn", "Faster", ""), ("wish", "2", "Rẻ hơn", "Cheaper", "")],
        columns=["list_name", "name", "label::vi", "label::en", "role"],
    )  # fmt: skip
    factors = pd.DataFrame(
        [("index", "", "Chỉ số chung", "Index"), ("policy", "", "Chính sách", "Policy"),
         ("service", "", "Dịch vụ", "Service"),
         ("p", "policy", "Yếu tố chính sách", "Policy factor"), ("s", "service", "Yếu tố phục vụ", "Service factor"),
         ("f", "service", "Tiếp nhận phản ánh", "Feedback")],
        columns=["id", "part", "label::vi", "label::en"],
    )  # fmt: skip
    return Questionnaire(
        id="small", title_vi="Phiếu thử", title_en="Test form", questions=questions, choices=choices,
        factor_table=factors, index_rule=index_rule, overall=overall, source="test", grade="D",
    )  # fmt: skip
