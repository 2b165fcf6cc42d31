"""One hand-made notebook with everything that has broken reports, as a document and as files."""

from __future__ import annotations

import datetime as dt
import unicodedata
from itertools import product

import nbformat
import pandas as pd
import pytest

from khaosat.report import docx, html, pdf, xlsx
from khaosat.report.document import Document, Letterhead, read_notebook
from khaosat.show.blocks import MIME
from khaosat.show.figure import Figure, draw
from khaosat.show.plots import intervals
from khaosat.show.table import Column, Table, make_table

WRITERS = {"html": html.write, "pdf": pdf.write, "docx": docx.write, "xlsx": xlsx.write}
TONES = "\u0300\u0309\u0303\u0301\u0323"


def vietnamese_letters() -> str:
    """The 134 letters that ASCII lacks."""
    toned = (unicodedata.normalize("NFC", v + t) for v, t in product("aăâeêioôơuưy", ["", *TONES]))
    lower = [letter for letter in [*toned, "đ"] if not letter.isascii()]
    return " ".join([*lower, *(letter.upper() for letter in lower)])


def long_table() -> Table:
    """Sixty units, grouped columns, absent and suppressed values, intervals, names that look like code."""
    n = 60
    names = [f"Ủy ban nhân dân phường Nguyễn Thị Minh Khai – khu vực số {i}, Quận Bình Thạnh" for i in range(n)]
    names[:4] = ["<script>alert('x')</script> & Co", "=SUM(A1:A9)", "#strong[*đậm*] $x^2$ \\ @", "+84 (0)28 -1 'trích'"]
    frame = pd.DataFrame(
        {
            "unit": names,
            "denominator": [1000003 - 16661 * i for i in range(n)],
            "estimate": [None if i == 7 else (i + 1) / 61 for i in range(n)],
            "low": [None if i == 7 else i / 61 for i in range(n)],
            "high": [None if i == 7 else min(1.0, (i + 2) / 61) for i in range(n)],
            "mean": [1 + 4 * i / 59 for i in range(n)],
            "since": pd.date_range("2025-07-01", periods=n, freq="D"),
        }
    )
    columns = [
        Column(name="unit", label="Đơn vị"),
        Column(name="denominator", kind="int", label="Số hồ sơ", group="Quy mô"),
        Column(name="estimate", kind="percent", decimals=1, label="Tỷ lệ", group="Trễ hạn"),
        Column(name=("low", "high"), kind="interval_percent", decimals=1, label="Khoảng tin cậy 95%", group="Trễ hạn"),
        Column(name="mean", kind="number", decimals=2, label="Điểm trung bình"),
        Column(name="since", kind="date", label="Từ ngày"),
    ]
    hide = pd.Series([i in (11, 12) for i in range(n)])
    notes = ["Dòng ghi … được ẩn: có ít hơn 30 trường hợp.", "Khoảng tin cậy Wilson, mức 95%."]
    return make_table(
        frame, columns, title="Tỷ lệ trễ hạn theo đơn vị", notes=notes, source="Nguồn: mô phỏng.", hide=hide
    )


def wide_table() -> Table:
    """Thirteen columns: too many for an upright page at any size people can read."""
    months = [f"Tháng {m:02d}/2026" for m in range(1, 13)]
    rows = {"field": ["Đất đai", "Hộ tịch"], **{m: [123456789 + i, 98765432 - i] for i, m in enumerate(months)}}
    columns = [Column(name="field", label="Lĩnh vực"), *(Column(name=m, kind="int", label=m) for m in months)]
    return make_table(pd.DataFrame(rows), columns, title="Hồ sơ nhận theo tháng")


def score_table() -> Table:
    """A small table with a plain interval and a negative number."""
    frame = pd.DataFrame({"part": ["Tiếp cận", "Phí"], "score": [-0.125, 4.0], "low": [-0.5, 3.9], "high": [0.25, 4.1]})
    columns = [
        Column(name="part", label="Yếu tố"),
        Column(name="score", kind="number", decimals=2, label="Chênh lệch điểm"),
        Column(name=("low", "high"), kind="interval", decimals=2, label="Khoảng tin cậy"),
    ]
    return make_table(frame, columns, title="Chênh lệch so với quý trước", source="Nguồn: mô phỏng.")


def figure(title: str, alt: str) -> Figure:
    rows = pd.DataFrame(
        {"field": ["Đất đai", "Hộ tịch"], "estimate": [0.3, 0.1], "low": [0.2, 0.05], "high": [0.4, 0.2]}
    )
    return draw(intervals(rows, keys=["field"], unit="share"), title=title, alt=alt, source="Nguồn: mô phỏng.")


def displayed(*blocks) -> nbformat.NotebookNode:
    """A code cell that displayed some blocks, and printed something that is not the report's."""
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="in ra cho người làm\n"),
        nbformat.v4.new_output("display_data", data={"text/plain": "x", MIME: list(blocks)}),
        nbformat.v4.new_output("execute_result", data={"text/plain": "42"}, execution_count=1),
    ]
    return nbformat.v4.new_code_cell("ks.on_time(log)", outputs=outputs)


@pytest.fixture(scope="session")
def notebook() -> nbformat.NotebookNode:
    text = nbformat.v4.new_markdown_cell
    box = {
        "kind": "note",
        "title": "Cách tính",
        "items": [[{"text": "Tỷ lệ trễ = số trễ / số đã trả.", "bold": False, "italic": False}]],
    }
    late = "Đất đai trễ 30% (20–40%), Hộ tịch trễ 10% (5–20%)."
    early = "Hai lĩnh vực trên trục phần trăm; Đất đai cao gấp ba Hộ tịch."
    cells = [
        text(
            f"# I. TÌNH HÌNH CHUNG\n\nĐủ chữ cái: {vietnamese_letters()}; **đậm**, *nghiêng*, ***cả hai***, 80 ≥ 5 ₫."
        ),
        text("- Mục thứ nhất của danh sách\n- Mục *thứ hai*\n\n1. Việc một\n2. Việc hai\n\nGiữa.\n\n1. Lại từ một"),
        displayed(score_table().block(), figure("Đất đai trễ nhiều nhất", late).block()),
        text("# II. KẾT QUẢ\n\n### Theo đơn vị\n\n" + "Một đoạn văn dài để trang có chữ và căn đều hai bên. " * 12),
        displayed(long_table().block()),
        text("---\n\n## 2. Theo tháng"),
        displayed(wide_table().block(), box, figure("Khoảng cách giữa hai lĩnh vực", early).block()),
        text("# III. KIẾN NGHỊ\n\n> Kết quả là mối liên hệ, không phải quan hệ nhân quả.\n\nRà soát bước thẩm định."),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="session")
def letterhead() -> Letterhead:
    return Letterhead(
        parent_agency="UBND THÀNH PHỐ SÔNG XANH",
        agency="BAN CHỈ ĐẠO CẢI CÁCH HÀNH CHÍNH",
        place="Sông Xanh",
        subject="Mức độ hài lòng và tình hình trễ hạn giải quyết hồ sơ quý III năm 2026",
        year=2026,
        recipients=("Ban Chỉ đạo CCHC thành phố", "Sở Nội vụ", "Lưu: VT"),
        signer="TM. BAN CHỈ ĐẠO\nTRƯỞNG BAN",
    )


@pytest.fixture(scope="session")
def document(notebook, letterhead) -> Document:
    return Document(
        letterhead=letterhead,
        blocks=read_notebook(notebook),
        lang="vi",
        title="Báo cáo quý III năm 2026",
        provenance="Lập bởi khaosat; khóa 0123456789abcdef. Nguồn: mô phỏng.",
    )


@pytest.fixture(scope="session")
def signed(document) -> Document:
    """The English report: signed, dated, numbered."""
    head = Letterhead(
        parent_agency="PEOPLE'S COMMITTEE OF SONG XANH",
        agency="STEERING COMMITTEE",
        place="Song Xanh",
        subject="Satisfaction and lateness",
        year=2026,
        number="15/BC-BCĐ",
        date=dt.date(2026, 2, 5),
        draft=False,
        recipients=("File",),
        signer="CHAIR",
    )
    return Document(letterhead=head, blocks=document.blocks, lang="en", title="Report of Q3 2026")


@pytest.fixture(scope="session")
def files(document, tmp_path_factory):
    """The document in every format: name → path."""
    folder = tmp_path_factory.mktemp("report")
    for kind, write in WRITERS.items():
        write(document, folder / f"report.{kind}")
    return {kind: folder / f"report.{kind}" for kind in WRITERS}
