from __future__ import annotations

import datetime as dt
import unicodedata

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from khaosat.errors import DataError, FactsError, WorkspaceError
from khaosat.io.dossier_files import read_dossiers
from tests.io.exports import HO_SO, TIEN_TRINH, buoc, ho_so, write
from tests.io.test_text_files import cp1258


def rows(log, table="dossiers", order="source_row"):
    return log.engine.query(f"SELECT * FROM {table} ORDER BY {order}").to_pylist()


def codes(log):
    return sorted(log.faults["fault"])


def balanced(log):
    return log.counts["read"] == log.counts["stored"] + log.counts["quarantined"]


def read_one(tmp_path, *changed, **options):
    """A log of one good dossier and the given ones."""
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1"), *changed])
    return read_dossiers(path, **options)


def test_a_dossier_of_the_exchange_schema(tmp_path):
    (row,) = rows(read_one(tmp_path))
    assert row["dossier_id"] == "H29-1"
    assert row["procedure_name"] == "Cấp giấy phép xây dựng"
    assert (row["channel"], row["applicant_type"], row["status"]) == ("online", "citizen", "finished")
    assert row["received_at"] == dt.datetime(2026, 7, 1, 8, 30)
    assert row["first_due_at"] == row["due_at"] == dt.datetime(2026, 7, 10, 17)
    assert row["finished_at"] == dt.datetime(2026, 7, 9, 10)
    assert (row["legal_days"], row["source_file"], row["source_row"]) == (7, "hoso.csv", 1)


def test_the_log_ends_with_the_last_thing_that_happened_and_not_with_a_plan(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayHenTra="20270101000000", NgayKetThucXuLy="20260712093000"))
    assert log.as_of == dt.datetime(2026, 7, 12, 9, 30)
    assert read_one(tmp_path, as_of=dt.datetime(2026, 8, 1)).as_of == dt.datetime(2026, 8, 1)


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"NgayTiepNhan": "01-07-2026"}, "bad_date", "NgayTiepNhan"),
        ({"NgayTiepNhan": "2026070108300"}, "bad_date", "NgayTiepNhan"),
        ({"NgayTiepNhan": "20260231083000"}, "bad_date", "NgayTiepNhan"),
        ({"NgayTiepNhan": "10260701083000"}, "bad_date", "NgayTiepNhan"),
        ({"NgayHenTra": "sau"}, "bad_date", "NgayHenTra"),
        ({"NgayHenTra": "20260630170000"}, "due_before_received", "NgayHenTra"),
        ({"NgayKetThucXuLy": "20260701082959"}, "finished_before_received", "NgayKetThucXuLy"),
        ({"NgayKetThucXuLy": "", "NgayTra": "20260630082959"}, "finished_before_received", "NgayTra"),
        ({"MaHoSo": " "}, "missing_id", "MaHoSo"),
        ({"NgayTiepNhan": ""}, "missing_received", "NgayTiepNhan"),
    ],
)
def test_a_row_that_would_be_counted_wrongly_is_refused_and_kept_aside(tmp_path, change, code, column):
    log = read_one(tmp_path, ho_so("H29-2", **change))
    assert [row["dossier_id"] for row in rows(log)] == ["H29-1"]
    (fault,) = log.faults.to_dict("records")
    assert (fault["file"], fault["row"], fault["column"], fault["fault"]) == ("hoso.csv", 2, column, code)
    assert fault["severity"] == "refused"
    assert fault["value"] == change.get(column, "").strip()
    assert log.counts["dossiers_read"] == 2
    assert log.counts["dossiers_quarantined"] == 1


@pytest.mark.parametrize(
    ("change", "code", "column", "empty"),
    [
        ({"TrangThaiHoSo": "15"}, "bad_code", "TrangThaiHoSo", "status"),
        ({"KenhThucHien": "x"}, "bad_code", "KenhThucHien", "channel"),
        ({"LoaiDoiTuong": "5"}, "bad_code", "LoaiDoiTuong", "applicant_type"),
        ({"SoNgayXuLy": "bảy"}, "bad_number", "SoNgayXuLy", "legal_days"),
        ({"SoNgayXuLy": "7,5"}, "bad_number", "SoNgayXuLy", "legal_days"),
        ({"NgayNopHoSo": "hôm qua"}, "bad_date_cell", "NgayNopHoSo", "submitted_at"),
    ],
)
def test_a_cell_that_stands_for_nothing_is_blanked_and_its_row_kept(tmp_path, change, code, column, empty):
    log = read_one(tmp_path, ho_so("H29-2", **change))
    assert rows(log)[1][empty] is None
    (fault,) = log.faults.to_dict("records")
    assert (fault["row"], fault["column"], fault["value"], fault["fault"], fault["severity"]) == (
        2, column, change[column], code, "blanked"
    )  # fmt: skip
    assert log.counts["dossiers_stored"] == 2


def test_all_faults_of_all_rows_are_found_at_once(tmp_path):
    log = read_one(
        tmp_path,
        ho_so("H29-2", NgayTiepNhan="x", NgayHenTra="y", TrangThaiHoSo="z"),
        ho_so("", NgayHenTra=""),
    )
    assert codes(log) == ["bad_code", "bad_date", "bad_date", "missing_due", "missing_id"]
    assert balanced(log)


def test_a_dossier_without_due_date_is_kept_and_counted(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayHenTra=""))
    assert rows(log)[1]["due_at"] is None
    assert codes(log) == ["missing_due"]


def test_a_dossier_not_yet_received_needs_no_reception(tmp_path):
    change = {"NgayTiepNhan": "", "NgayHenTra": "", "NgayKetThucXuLy": ""}
    log = read_one(tmp_path, ho_so("H29-2", TrangThaiHoSo="1", **change))
    assert len(rows(log)) == 2
    assert codes(log) == []


def test_a_blank_channel_counts_as_direct_and_an_unknown_one_does_not(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", KenhThucHien=""), ho_so("H29-3", KenhThucHien="8"))
    assert [row["channel"] for row in rows(log)] == ["online", "direct", None]


def test_codes_may_be_written_in_words(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", KenhThucHien="Trực tiếp", TrangThaiHoSo="đang xử lý"))
    assert [(row["channel"], row["status"]) for row in rows(log)][1] == ("direct", "processing")


def test_a_due_date_without_time_of_day_lasts_to_the_end_of_the_day(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayHenTra="01/07/2026"))
    assert rows(log)[1]["due_at"] == dt.datetime(2026, 7, 1, 23, 59, 59)
    assert codes(log) == []


def test_a_time_of_midnight_stands_for_its_day(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayKetThucXuLy="20260701000000"))
    assert len(rows(log)) == 2


def test_the_portal_order_of_ends(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayKetThucXuLy="", NgayTra="20260708090000"))
    assert rows(log)[1]["finished_at"] == rows(log)[1]["returned_at"] == dt.datetime(2026, 7, 8, 9)


def test_the_same_row_twice_is_kept_once(tmp_path):
    log = read_one(tmp_path, ho_so("H29-1"))
    assert len(rows(log)) == 1
    (fault,) = log.faults.to_dict("records")
    assert (fault["row"], fault["fault"], fault["severity"], fault["value"]) == (2, "duplicate_row", "warning", "H29-1")
    assert log.counts["dossiers_quarantined"] == 1


def test_a_number_twice_with_other_content_refuses_the_later_row(tmp_path):
    log = read_one(tmp_path, ho_so("H29-1", NgayKetThucXuLy="20260720100000"))
    assert rows(log)[0]["finished_at"] == dt.datetime(2026, 7, 9, 10)
    assert log.faults[["row", "fault", "severity"]].to_numpy().tolist() == [[2, "duplicate_conflict", "refused"]]


def test_a_refused_first_row_does_not_stand_in_for_a_good_second_one(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", NgayTiepNhan="?"), ho_so("H29-2"))
    assert [row["source_row"] for row in rows(log)] == [1, 3]
    assert codes(log) == ["bad_date"]


def test_an_id_called_NA_is_a_text(tmp_path):
    log = read_one(tmp_path, ho_so("NA"), ho_so("null"), ho_so("0012"))
    assert [row["dossier_id"] for row in rows(log)] == ["H29-1", "NA", "null", "0012"]


def test_decimal_comma_and_whole_numbers(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", SoNgayXuLy="15,0"), ho_so("H29-3", SoNgayXuLy="20.0"))
    assert [row["legal_days"] for row in rows(log)] == [7, 15, 20]


def test_composed_and_decomposed_letters_are_one(tmp_path):
    name = "Sở Tài nguyên và Môi trường"
    log = read_one(
        tmp_path,
        ho_so(unicodedata.normalize("NFC", "HỒ-1"), DonViXuLy=unicodedata.normalize("NFC", name)),
        ho_so(unicodedata.normalize("NFD", "HỒ-1"), DonViXuLy=unicodedata.normalize("NFD", name)),
    )
    assert codes(log) == ["duplicate_row"]
    assert rows(log)[1]["responsible_unit"] == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258"])
def test_every_encoding_and_delimiter_gives_the_same_log(tmp_path, encoding, delimiter):
    good = [ho_so("H29-1"), ho_so("H29-2", DonViXuLy='Phường "Bến, Nghé"; quận 1'), ho_so("H29-3", TrangThaiHoSo="x")]
    plain = read_dossiers(write(tmp_path / "hoso.csv", good))
    (tmp_path / "other").mkdir()
    path = write(tmp_path / "other" / "hoso.csv", good, delimiter=delimiter)
    text = path.read_text(encoding="utf-8")
    path.write_bytes(cp1258(text) if encoding == "cp1258" else text.encode(encoding))
    other = read_dossiers(path)
    assert rows(other) == rows(plain)
    assert other.faults.equals(plain.faults)


def test_headers_match_without_case_diacritics_and_spaces(tmp_path):
    names = {"MaHoSo": "Mã hồ sơ", "NgayTiepNhan": "ngay_tiep_nhan", "DonViXuLy": "ĐƠN VỊ XỬ LÝ"}
    changed = {names.get(name, name): value for name, value in ho_so("H29-1").items()}
    (row,) = rows(read_dossiers(write(tmp_path / "a.csv", [changed], header=changed)))
    assert (row["dossier_id"], row["responsible_unit"]) == ("H29-1", "Sở Xây dựng")


def test_a_missing_column_is_named(tmp_path):
    header = [name for name in HO_SO if name not in ("NgayTiepNhan", "NgayHenTra")]
    path = write(tmp_path / "hoso.csv", [{name: ho_so("1")[name] for name in header}], header=header)
    with pytest.raises(DataError) as error:
        read_dossiers(path)
    assert error.value.faults[["fault", "column"]].to_numpy().tolist() == [
        ["missing_column", "NgayHenTra"], ["missing_column", "NgayTiepNhan"]
    ]  # fmt: skip
    assert "NgayTiepNhan" in str(error.value)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (",".join(HO_SO).encode() + b"\n", "header_only"), (b"a;b\n1;2\n", "unknown_file"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "not_text"), (b"PK\x03\x04 no workbook", "not_text"),
     (b"PAR1 no parquet", "not_text")],
)  # fmt: skip
def test_a_file_without_dossiers_is_refused_with_its_reason(tmp_path, content, code):
    path = tmp_path / "hoso.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_dossiers(path)
    assert error.value.faults["fault"].tolist() == [code]


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    write(tmp_path / "a.csv", [ho_so("H29-1")])
    (tmp_path / "b.csv").write_bytes(b"")
    write(tmp_path / "c.csv", [], header=TIEN_TRINH)
    log = read_dossiers(tmp_path)
    assert len(rows(log)) == 1
    assert codes(log) == ["empty_file", "header_only"]


def test_broken_records_are_set_aside_with_their_row_and_the_rest_is_kept(tmp_path):
    header = [name for name in HO_SO if name != "ChuHoSo"]  # beside personal columns the text would be withheld
    good = [{name: ho_so(f"H29-{n}")[name] for name in header} for n in range(1, 6)]
    path = write(tmp_path / "hoso.csv", good, header=header)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] += ",một,hai"
    lines[4] = lines[4].replace("Sở Xây dựng", '"Sở Xây dựng')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    log = read_dossiers(path)
    assert [row["dossier_id"] for row in rows(log)] == ["H29-1", "H29-3", "H29-5"]
    assert [row["source_row"] for row in rows(log)] == [1, 3, 5]
    assert log.faults[["row", "fault"]].to_numpy().tolist() == [[2, "broken_record"], [4, "broken_record"]]
    assert "một,hai" in log.faults["value"][0]
    assert (log.counts["read"], log.counts["quarantined"]) == (5, 2)


def test_text_with_line_breaks_inside_quotes_is_one_record(tmp_path):
    log = read_one(tmp_path, ho_so("H29-2", TenTTHC="Cấp phép\nxây dựng, loại\n\nB"), ho_so("H29-3"))
    assert rows(log)[1]["procedure_name"] == "Cấp phép\nxây dựng, loại\n\nB"
    assert [row["source_row"] for row in rows(log)] == [1, 2, 3]


def test_blank_rows_are_nothing(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1"), dict.fromkeys(HO_SO, ""), ho_so("H29-2")])
    log = read_dossiers(path)
    assert [row["source_row"] for row in rows(log)] == [1, 3]
    assert log.counts["read"] == 2


def test_damaged_letters_blank_a_cell(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", DonViXuLy="Sở X@ dựng")])
    path.write_bytes(path.read_bytes().replace(b"@", b"\xe2"))
    log = read_dossiers(path)
    assert [row["responsible_unit"] for row in rows(log)] == ["Sở Xây dựng", None]
    assert codes(log) == ["damaged_text"]


def xlsx(path, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    return book, path


def test_xlsx_with_title_merged_header_and_real_dates(tmp_path):
    good = ho_so("H29-1") | {
        "NgayTiepNhan": dt.datetime(2026, 7, 1, 8, 30),
        "NgayHenTra": dt.datetime(2026, 7, 10),
        "SoNgayXuLy": 7,
    }
    upper = [name if not name.startswith("Ngay") else "Thời điểm" for name in HO_SO]
    lower = [name if name.startswith("Ngay") else None for name in HO_SO]
    book, path = xlsx(
        tmp_path / "hoso.xlsx", ("Hồ sơ", [["BÁO CÁO HỒ SƠ"], [], upper, lower, [good[name] for name in HO_SO]])
    )
    sheet = book["Hồ sơ"]
    sheet.merge_cells("A1:F1")
    for column, name in enumerate(HO_SO, start=1):
        if not name.startswith("Ngay"):
            sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
    sheet.merge_cells(start_row=3, end_row=3, start_column=8, end_column=10)
    book.save(path)
    (row,) = rows(read_dossiers(path))
    assert row["received_at"] == dt.datetime(2026, 7, 1, 8, 30)
    assert row["due_at"] == dt.datetime(2026, 7, 10, 23, 59, 59)
    assert (row["dossier_id"], row["legal_days"], row["source_row"]) == ("H29-1", 7, 1)


def test_xlsx_header_that_cannot_be_found_is_refused_by_name(tmp_path):
    book, path = xlsx(
        tmp_path / "hoso.xlsx", ("Hồ sơ", [["Mã hồ sơ", "Trạng thái hồ sơ", "Mã TTHC"], ["H29-1", 9, "1.004"]])
    )
    book.save(path)
    with pytest.raises(DataError) as error:
        read_dossiers(path)
    assert set(error.value.faults["column"]) == {"NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy"}


def test_sheets_of_a_workbook_are_tables(tmp_path):
    steps = [TIEN_TRINH, [buoc("H29-1")[name] for name in TIEN_TRINH], [buoc("H29-9")[name] for name in TIEN_TRINH]]
    book, path = xlsx(
        tmp_path / "xuat.xlsx",
        ("HoSo", [HO_SO, [ho_so("H29-1")[name] for name in HO_SO]]), ("TienTrinh", steps), ("Trống", []),
    )  # fmt: skip
    book.save(path)
    log = read_dossiers(path)
    assert len(rows(log, "steps")) == 1
    assert log.faults[["file", "row", "fault"]].to_numpy().tolist() == [["xuat.xlsx[TienTrinh]", 2, "without_dossier"]]


def test_parquet_with_typed_columns(tmp_path):
    good = {name: [value] for name, value in ho_so("H29-1").items()}
    good |= {"NgayTiepNhan": [dt.datetime(2026, 7, 1, 8, 30)], "NgayHenTra": [dt.date(2026, 7, 10)], "SoNgayXuLy": [7]}
    pq.write_table(pa.table(good), tmp_path / "hoso.parquet")
    (row,) = rows(read_dossiers(tmp_path / "hoso.parquet"))
    assert row["received_at"] == dt.datetime(2026, 7, 1, 8, 30)
    assert row["due_at"] == dt.datetime(2026, 7, 10, 23, 59, 59)


def test_steps_are_ordered_checked_and_tied_to_their_dossier(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", NgayTiepNhan="?")])
    steps = [
        buoc("H29-1", "Ký", NgayBatDau="20260708080000", ThoiDiemXuLy="20260709090000"),
        buoc("H29-1", "Tiếp nhận", NgayBatDau="20260630080000", ThoiDiemXuLy="20260701090000"),
        buoc("H29-1", "Trả", NgayBatDau="20260709110000", ThoiDiemXuLy="20260709120000"),
        buoc("H29-1", "Thẩm định", NgayBatDau="20260703080000", ThoiDiemXuLy="20260702090000"),
        buoc("H29-1", "Kiểm tra", NgayBatDau="20260703080000", ThoiDiemXuLy="ba giờ"),
        buoc("H29-2"), buoc("H29-3"), buoc(""),
    ]  # fmt: skip
    write(tmp_path / "tientrinh.csv", steps, header=TIEN_TRINH)
    log = read_dossiers([tmp_path / "hoso.csv", tmp_path / "tientrinh.csv"])
    kept = rows(log, "steps", "seq")
    assert [row["step"] for row in kept] == ["Tiếp nhận", "Thẩm định", "Kiểm tra", "Ký", "Trả"]
    assert [row["seq"] for row in kept] == [1, 2, 3, 4, 5]
    found = log.faults[log.faults["file"] == "tientrinh.csv"]
    assert sorted(zip(found["row"], found["fault"], strict=True)) == [
        (2, "step_before_received"), (3, "step_after_end"), (4, "negative_duration"), (5, "bad_date_cell"),
        (6, "without_dossier"), (7, "without_dossier"), (8, "missing_id"),
    ]  # fmt: skip
    assert (log.counts["steps_read"], log.counts["steps_stored"], log.counts["steps_quarantined"]) == (8, 5, 3)


def test_handing_over_the_result_is_a_step_within_the_dossier(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1", NgayTra="20260709140000", TrangThaiHoSo="10")])
    steps = [buoc("H29-1", "Trả", NgayBatDau=f"202607{day}110000", ThoiDiemXuLy="") for day in ("09", "10")]
    write(tmp_path / "tientrinh.csv", steps, header=TIEN_TRINH)
    found = read_dossiers(tmp_path).faults
    assert found[["row", "column", "fault"]].to_numpy().tolist() == [[2, "NgayBatDau", "step_after_end"]]


def test_the_first_appointment_is_the_earliest_that_a_change_shows(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1", NgayHenTra="20260720170000"), ho_so("H29-2")])
    header = ("MaHoSo", "NgayDoiHen", "NgayHenTraTruoc", "NgayHenTraMoi", "LyDo", "NgayGuiThuXinLoi")
    changes = [
        ("H29-1", "20260712080000", "20260713170000", "20260720170000", "Chờ ý kiến", "20260712090000"),
        ("H29-1", "20260708080000", "20260709170000", "20260713170000", "Quá tải", ""),
    ]
    write(tmp_path / "lichsu.csv", [dict(zip(header, change, strict=True)) for change in changes], header=header)
    log = read_dossiers(tmp_path)
    assert [row["first_due_at"] for row in rows(log)] == [dt.datetime(2026, 7, 9, 17), dt.datetime(2026, 7, 10, 17)]
    assert rows(log)[0]["due_at"] == dt.datetime(2026, 7, 20, 17)
    assert [row["apology_sent_at"] for row in rows(log, "appointments")] == [dt.datetime(2026, 7, 12, 9), None]
    assert log.tables == {"dossiers", "appointments"}


def test_supplements(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    header = ("MaHoSo", "NguoiYeuCauBoSung", "NoiDungBoSung", "NgayBoSung", "NgayTiepNhanBoSung", "NgayHenTraTruoc")
    change = ("H29-1", "Lê Cúc", "Thiếu bản vẽ", "20260702080000", "20260701080000", "20260708170000")
    write(tmp_path / "bosung.csv", [dict(zip(header, change, strict=True))], header=header)
    log = read_dossiers(tmp_path)
    (row,) = rows(log, "supplements")
    assert (row["reason"], row["requested_at"]) == ("Thiếu bản vẽ", dt.datetime(2026, 7, 2, 8))
    assert codes(log) == ["negative_duration"]
    assert rows(log)[0]["first_due_at"] == dt.datetime(2026, 7, 8, 17)


def test_personal_columns_are_read_only_on_demand(tmp_path):
    write(tmp_path / "hoso.csv", [ho_so("H29-1"), ho_so("H29-2", NgayTiepNhan="?")])
    write(tmp_path / "tientrinh.csv", [buoc("H29-1")], header=TIEN_TRINH)
    assert rows(read_dossiers(tmp_path), "steps")[0]["officer"] is None
    assert rows(read_dossiers(tmp_path, personal=True), "steps")[0]["officer"] == "Trần Thị Bình"


def test_files_by_table(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    steps = write(tmp_path / "tientrinh.csv", [buoc("H29-1")], header=TIEN_TRINH)
    log = read_dossiers({"dossiers": path, "steps": str(steps)})
    assert len(rows(log, "steps")) == 1
    with pytest.raises(DataError) as error:
        read_dossiers({"dossiers": steps})
    assert "NgayTiepNhan" in set(error.value.faults["column"])


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="khong-co"):
        read_dossiers(tmp_path / "khong-co.csv")


def test_a_made_up_source_needs_a_mapping_and_no_code(tmp_path):
    (tmp_path / "nguon.toml").write_text(
        """
        id = "thanh-pho-a"
        source = "test"
        zone = "Asia/Ho_Chi_Minh"
        stored_in = "UTC"
        times = ["%d.%m.%Y %Hh%M"]
        nulls = ["-"]
        [dossiers]
        required = ["dossier_id", "received_at", "due_at"]
        [dossiers.columns]
        dossier_id = ["Số hồ sơ", "Số cũ"]
        received_at = "Nhận lúc"
        due_at = "Hẹn trả"
        finished_at = "Xong lúc"
        snapshot_at = "Chốt lúc"
        channel = { from = "Cách nộp", codes = { "Tại quầy" = "direct", "Qua mạng" = "online" } }
        """,
        encoding="utf-8",
    )
    (tmp_path / "a.csv").write_text(
        "Số hồ sơ|Số cũ|Nhận lúc|Hẹn trả|Xong lúc|Chốt lúc|Cách nộp\n"
        "A1||01.07.2026 02h15|2026-07-05T00:00:00+07:00|-|01.08.2026 00h00|qua  MẠNG\n"
        "-|A2|30.06.2026 23h30|05.07.2026 01h00|02.07.2026 01h00|01.08.2026 00h00|-\n",
        encoding="utf-8",
    )
    log = read_dossiers(tmp_path / "a.csv", mapping=tmp_path / "nguon.toml")
    first, second = rows(log)
    assert (first["dossier_id"], first["channel"], first["finished_at"]) == ("A1", "online", None)
    assert first["received_at"] == dt.datetime(2026, 7, 1, 9, 15)
    assert first["due_at"] == dt.datetime(2026, 7, 5)
    assert (second["dossier_id"], second["received_at"]) == ("A2", dt.datetime(2026, 7, 1, 6, 30))
    assert second["snapshot_at"] == dt.datetime(2026, 8, 1, 7)
    assert log.faults.empty


def test_an_unknown_mapping(tmp_path):
    with pytest.raises(FactsError, match="khac"):
        read_one(tmp_path, mapping="khac")


def test_of_two_columns_of_one_name_the_first_is_read(tmp_path):
    path = write(tmp_path / "hoso.csv", [ho_so("H29-1")])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{lines[0]},Đơn vị xử lý\n{lines[1]},Sở khác\n", encoding="utf-8")
    log = read_dossiers(path)
    assert rows(log)[0]["responsible_unit"] == "Sở Xây dựng"
    assert log.faults[["row", "column", "fault"]].to_numpy().tolist() == [[0, "DonViXuLy", "repeated_column"]]


def test_an_engine_that_is_not_there(tmp_path):
    with pytest.raises(WorkspaceError, match="spark"):
        read_one(tmp_path, engine="spark")


def test_a_header_of_two_rows_in_which_some_names_need_the_words_above_and_some_do_not(tmp_path):
    good = ho_so("H29-1")
    upper = ["Mã hồ sơ", "Thủ tục", None, "Ngày", None, None, "Trạng thái", "Kênh thực hiện"]
    lower = [None, "Mã TTHC", "Tên TTHC", "tiếp nhận", "hẹn trả", "kết thúc xử lý", "hồ sơ", None]
    names = ["MaHoSo", "MaTTHC", "TenTTHC", "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "TrangThaiHoSo",
             "KenhThucHien"]  # fmt: skip
    book, path = xlsx(tmp_path / "hoso.xlsx", ("S", [["SỔ THEO DÕI"], upper, lower, [good[name] for name in names]]))
    book.save(path)
    (row,) = rows(read_dossiers(path))
    assert (row["procedure"], row["procedure_name"]) == ("1.004", "Cấp giấy phép xây dựng")
    assert (row["status"], row["channel"], row["source_row"]) == ("finished", "online", 1)


def test_zeros_that_a_sheet_shows_belong_to_the_number(tmp_path):
    good = [ho_so("H29-1")[name] for name in HO_SO]
    book, path = xlsx(tmp_path / "hoso.xlsx", ("S", [HO_SO, good]))
    for column, value, shown in (("A2", 123, "000000"), ("B2", 1.01, "0.000"), ("P2", 7, "0"), ("D2", 1.5, "0")):
        book["S"][column].value = value
        book["S"][column].number_format = shown
    book.save(path)
    (row,) = rows(read_dossiers(path))
    assert (row["dossier_id"], row["procedure"], row["legal_days"], row["field"]) == ("000123", "1.010", 7, "1.5")


def test_a_date_that_parquet_keeps_as_a_time_lasts_to_the_end_of_its_day(tmp_path):
    good = {name: [value] for name, value in ho_so("H29-1").items()}
    good |= {"NgayTiepNhan": [dt.datetime(2026, 7, 1, 8, 30)], "NgayHenTra": [dt.datetime(2026, 7, 10)]}
    pq.write_table(pa.table(good), tmp_path / "hoso.parquet")
    (row,) = rows(read_dossiers(tmp_path / "hoso.parquet"))
    assert row["received_at"] == dt.datetime(2026, 7, 1, 8, 30)
    assert row["due_at"] == dt.datetime(2026, 7, 10, 23, 59, 59)


@pytest.mark.parametrize("number", ["NA", "000123", "0", "1e5", "null", "1.010"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_dossier_number_stays_as_it_is(tmp_path, number, kind):
    path = tmp_path / f"hoso.{kind}"
    good = ho_so(number)
    if kind == "csv":
        write(path, [good])
    elif kind == "xlsx":
        book, _ = xlsx(path, ("S", [HO_SO, [good[name] for name in HO_SO]]))
        book.save(path)
    else:
        pq.write_table(pa.table({name: [value] for name, value in good.items()}), path)
    assert rows(read_dossiers(path))[0]["dossier_id"] == number
