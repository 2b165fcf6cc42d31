"""Settings of every test: no screen, hypothesis profiles, and skips that fail where nothing may be skipped."""

from __future__ import annotations

import os
import shutil
import sys

os.environ["MPLBACKEND"] = "Agg"

import hypothesis
import pytest

# No deadlines: a busy machine must not fail a test. In CI the examples are the same in every run.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        default=os.environ.get("KHAOSAT_FAIL_ON_SKIP") == "1",
        help="a skipped test fails, with its reason (also: KHAOSAT_FAIL_ON_SKIP=1)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    return refuse_skip(item.config, (yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    return refuse_skip(collector.config, (yield))


def refuse_skip(config: pytest.Config, report):
    """The same report, failed if it was a skip and skips are not allowed; an expected failure is no skip."""
    if config.getoption("no_skips") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} may not be skipped here. {reason}"
    return report


@pytest.fixture(scope="session")
def sample_city(tmp_path_factory):
    """The sample workspace as `make report` finds it, read in: one copy for all tests of a worker."""
    from khaosat.workspace import Workspace
    from tests.shared import ROOT

    root = tmp_path_factory.mktemp("sample-city")
    shutil.copy(ROOT / "khaosat.toml", root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copytree(ROOT / "data" / "sample", root / "data" / "sample")
    workspace = Workspace.find(root)
    workspace.ingest()
    return workspace


@pytest.fixture(autouse=True)
def _close_figures():
    """Figures that a test leaves open would be counted against the tests after it."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
