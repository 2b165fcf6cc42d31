import shutil
import subprocess
import sys

import pandas as pd
import pytest

from khaosat.cli import main
from tests.shared import ROOT
from tests.test_workspace import CITY

HEAD = "MaHoSo,MaTTHC,NgayTiepNhan,NgayHenTra,NgayKetThucXuLy,TrangThaiHoSo\n"
GOOD = HEAD + "H99.01-260701-0001,1.000001,20260701080000,20260710170000,,4\n"
BAD = GOOD + "H99.01-260701-0002,1.000001,20269999000000,20260710170000,,4\n"


@pytest.fixture
def city(tmp_path):
    (tmp_path / "khaosat.toml").write_text(CITY + '[dossiers]\nsources = ["*.csv"]\n', encoding="utf-8")
    (tmp_path / "a.csv").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_check_names_the_fault_and_refuses(city, capsys, tmp_path):
    report = tmp_path / "faults.csv"
    assert main(["check", str(city / "a.csv"), "--workspace", str(city), "--output", str(report)]) == 3
    assert "20269999000000" in capsys.readouterr().out
    faults = pd.read_csv(report)
    assert faults.loc[0, ["row", "column", "value", "severity"]].tolist() == [
        2,
        "NgayTiepNhan",
        20269999000000,
        "refused",
    ]


def test_a_formula_in_bad_data_stays_text_in_the_list_of_faults(city, tmp_path):
    (city / "a.csv").write_text(BAD.replace("20269999000000", "=1+1"), encoding="utf-8")
    report = tmp_path / "faults.csv"
    main(["check", str(city / "a.csv"), "--workspace", str(city), "--output", str(report)])
    assert "'=1+1" in pd.read_csv(report)["value"].tolist()


def test_check_of_a_survey_asks_for_the_columns_of_its_design(city, capsys):
    design = '[survey]\nquestionnaire = "sipas_2017"\n[survey.design]\nweights = "quyen_so"\n'
    (city / "khaosat.toml").write_text(CITY + design, encoding="utf-8")
    (city / "b.csv").write_text("s1_1,s1_2\n4,5\n", encoding="utf-8")
    assert main(["check", str(city / "b.csv"), "--workspace", str(city)]) == 3
    assert "quyen_so" in capsys.readouterr().out


def test_check_of_a_good_file_is_quiet(city, capsys):
    (city / "a.csv").write_text(GOOD, encoding="utf-8")
    assert main(["check", str(city / "a.csv"), "--workspace", str(city)]) == 0
    assert "Không tìm thấy lỗi nào" in capsys.readouterr().out


def test_ingest_then_status_in_both_languages(city, capsys):
    assert main(["ingest", "--workspace", str(city)]) == 0
    assert "2 dòng = lưu 1 dòng + cách ly 1 dòng" in capsys.readouterr().out
    assert main(["status", "--workspace", str(city), "--lang", "en"]) == 0
    assert "Dossiers: 1, known up to 01/07/2026" in capsys.readouterr().out
    assert main(["--lang", "vi", "ingest", "--workspace", str(city)]) == 0
    assert "đã có trong kho" in capsys.readouterr().out
    assert main(["--workspace", str(city), "status"]) == 0
    assert str(city) in capsys.readouterr().out, "a workspace named before the command is the one that is meant"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report", "2026-Q9"], 2),
        (["report"], 2),
        (["ingest", "--workspace", "khong-co-thu-muc-nay"], 2),
        (["nonsense"], 2),
    ],
)
def test_wrong_calls_exit_with_2(words, code, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:  # argparse leaves by itself, we give a code
        raise SystemExit(main(words))
    assert stop.value.code == code
    assert capsys.readouterr().err


def test_a_report_of_an_unfinished_period_exits_with_3(city, capsys):
    shutil.copytree(ROOT / "notebooks", city / "notebooks")
    main(["ingest", "--workspace", str(city)])
    assert main(["report", "2026-Q3", "--workspace", str(city)]) == 3
    assert "ngày làm việc" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_at_all_is_refused(city, capsys):
    (city / "a.csv").write_text("MaHoSo,MaTTHC,NgayTiepNhan\nA,1,20260701080000\n", encoding="utf-8")
    assert main(["ingest", "--workspace", str(city)]) == 3
    assert "NgayHenTra" in capsys.readouterr().out


def test_a_report_of_an_empty_store_asks_for_an_ingest(city, capsys):
    assert main(["report", "2026-Q3", "--workspace", str(city)]) == 2
    assert "khaosat ingest" in capsys.readouterr().err


def test_sample_writes_a_city(tmp_path):
    assert main(["sample", "--dossiers", "300", "--survey", "120", "--out", str(tmp_path / "city")]) == 0
    assert list((tmp_path / "city" / "dossiers").iterdir())


def test_importing_and_help_load_nothing_heavy():
    code = (
        "import sys, khaosat, khaosat.cli\n"
        "try: khaosat.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'statsmodels', 'sklearn', 'seaborn', 'papermill', 'duckdb'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "khaosat" in done.stdout


def test_every_public_name_is_there():
    import khaosat as ks

    for name in ks.__all__:
        assert getattr(ks, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ks.nothing  # noqa: B018
