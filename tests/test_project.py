"""The project's own files agree: dependencies, locks, environment.yml, documents; set-up says what it lacks."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.shared import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN_TIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
EXTRAS = [Requirement(text) for texts in PROJECT["project"]["optional-dependencies"].values() for text in texts]
DEV = [Requirement(text) for texts in PROJECT["dependency-groups"].values() for text in texts]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "benchmarks/README.md", "tests/README.md"]
DOCUMENTS += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
BINARY = {".gz", ".parquet", ".xlsx", ".sav", ".dta", ".ttf", ".png", ".pdf", ".docx"}

# Of extras, pinned among the tools as well, so that their tests run.
AGAIN = {canonicalize_name(extra.name) for extra in EXTRAS} & {canonicalize_name(tool.name) for tool in DEV}

# Installed for what they do, not for what they export.
NOT_IMPORTED = {"ipykernel", "jupyterlab", "pingouin", "statsmodels", "tzdata"}


@cache
def tracked() -> list[str]:
    """Files in git and files about to be; not the ignored ones."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the project is not known")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def pins(text: str) -> list[Requirement]:
    """The pinned requirements of a lock or constraints file."""
    lines = [line.rstrip(" \\") for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    return [Requirement(line) for line in lines]


def imported_packages(folder: Path) -> dict[str, str]:
    """Top-level modules that the files of a folder import, with a file that does."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found.update({name.split(".")[0]: str(path.relative_to(ROOT)) for name in names})
    own = {"khaosat", "tests", "scripts", "__future__", *(path.stem for path in folder.glob("*.py"))}
    own |= sys.stdlib_module_names
    return {name: path for name, path in found.items() if name not in own}


def distributions(modules: dict[str, str]) -> set[str]:
    owners = packages_distributions()
    return {canonicalize_name(owner) for module in modules for owner in owners[module]}


# Dependencies -------------------------------------------------------------------------------------------------------


def test_src_imports_only_what_is_declared():
    declared = {canonicalize_name(dependency.name) for dependency in RUN_TIME + EXTRAS}
    owners = packages_distributions()
    undeclared = {
        f"{path} imports {module}"
        for module, path in imported_packages(ROOT / "src").items()
        if not declared & {canonicalize_name(owner) for owner in owners.get(module, [])}
    }
    assert undeclared == set()


def test_every_declared_dependency_is_used():
    used = distributions(imported_packages(ROOT / "src")) | NOT_IMPORTED
    assert {dependency.name for dependency in RUN_TIME if canonicalize_name(dependency.name) not in used} == set()


def test_tests_import_only_what_is_declared():
    declared = {canonicalize_name(dependency.name) for dependency in RUN_TIME + DEV}
    for folder in ("tests", "scripts", "benchmarks"):
        assert distributions(imported_packages(ROOT / folder)) - declared == set(), folder


def test_a_report_names_versions_of_run_time_packages_only():
    """A user without the development tools builds reports too."""
    from khaosat.report.runner import _VERSIONS

    assert set(_VERSIONS) - {"khaosat"} <= {dependency.name for dependency in RUN_TIME}


def test_dev_tools_are_pinned_exactly():
    assert [str(tool) for tool in DEV if not re.fullmatch(r"==[\d.]+", str(tool.specifier))] == []


def test_every_dependency_has_its_reason():
    reasons = (ROOT / "docs/decisions/0002-dependencies.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([\w-]+)` \| \S", reasons, flags=re.MULTILINE)
    assert sorted(named) == sorted({dependency.name for dependency in RUN_TIME + EXTRAS + DEV})


def test_what_an_extra_brings_is_among_the_tools():
    """So that no test of it is left out."""
    assert {canonicalize_name(extra.name) for extra in EXTRAS} == AGAIN


# Locks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_lock_satisfies_every_dependency(python: str, platform: str):
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    wanted = [need for need in RUN_TIME + DEV if not need.marker or need.marker.evaluate(machine)]
    locked = [pin for pin in pins(LOCK) if not pin.marker or pin.marker.evaluate(machine)]
    versions = {pin.name: str(pin.specifier).removeprefix("==") for pin in locked}
    assert len(versions) == len(locked), "a package is locked twice for the same machine"
    assert [
        f"{need}: locked {versions.get(canonicalize_name(need.name))}"
        for need in wanted
        if not need.specifier.contains(versions.get(canonicalize_name(need.name), "0"))
    ] == []


def test_lock_has_hashes_and_no_addresses():
    for entry in re.split(r"\n(?=[a-z0-9])", LOCK)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
    for name in ("requirements.lock", "constraints.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--(extra-)?index-url|--find-links|@ ", text), name


def test_constraints_are_the_lock_without_hashes():
    constraints = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert [str(pin) for pin in constraints] == [str(pin) for pin in pins(LOCK)]


def test_build_backend_is_locked_for_the_editable_install():
    locked = {pin.name for pin in pins(LOCK)}
    assert {Requirement(text).name for text in PROJECT["build-system"]["requires"]} | {"editables"} <= locked


def test_environment_yml_adds_nothing_of_its_own():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    python, pip, rest = dependencies
    assert pip == "pip"
    assert rest == {"pip": ["-c constraints.txt", "-e ."]}
    name, version = python.split("=")
    assert name == "python"
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{version}.0")


# Documents ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_names_what_exists(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z]+)(?![\w-])", code)) <= targets
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []
    top = {path.split("/")[0] for path in tracked()}
    paths = [path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if path.split("/")[0] in top]
    assert [path for path in paths if not (ROOT / path).exists() and not ignored(path)] == []


def test_tree_in_readme_is_the_tree():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = re.search(r"```text\nkhaosat/\n(.*?)```", readme, flags=re.DOTALL)
    assert tree
    names = re.findall(r"^[│ ]*[├└]─ (\S+)", tree[1], flags=re.MULTILINE)
    assert len(names) > 10
    places = [ROOT, ROOT / "src/khaosat"]
    assert [name for name in names if not ignored(name) and not any((place / name).exists() for place in places)] == []


def ignored(path: str) -> bool:
    """Whether git ignores a path: the product makes it, so a document may name it before it is there."""
    return (
        subprocess.run(["git", "check-ignore", "--quiet", path.rstrip("/") + "/x"], cwd=ROOT, check=False).returncode
        == 0
    )


def test_every_test_file_has_its_line():
    readme = (ROOT / "tests/README.md").read_text(encoding="utf-8")
    files = [path.removeprefix("tests/") for path in tracked() if re.fullmatch(r"tests/(.*/)?test_\w+\.py", path)]
    lines = re.findall(r"^\| `([\w/.-]+)` \| \S", readme, flags=re.MULTILINE)
    assert sorted(lines) == sorted(files)


def test_no_machine_paths_or_hosts():
    slash = "/"
    places = "|".join(re.escape(slash + word) for word in ("work/", "root/", "home/", "Users/", "tmp/uv"))
    hosts = "|".join(re.escape(word) for word in ("pypi" + ".org", "python" + "hosted", "registry." + "npmjs"))
    pattern = re.compile(rf"(?<![\w.~$}}])(?:{places})|{hosts}")
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in tracked()
        if Path(name).suffix not in BINARY
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


# Set-up -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        ('case "$2" in *ensurepip*) exit 1;; esac', "sudo apt install python3-venv"),
        ("exit 127", "Python 3.11, 3.12 hoặc 3.13"),
    ],
    ids=["no venv", "no python"],
)
def test_set_up_says_what_is_missing(tmp_path: Path, stub: str, message: str):
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup.sh", tmp_path / "scripts")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n{stub}\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    run = subprocess.run(
        ["bash", "scripts/setup.sh"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert message in run.stderr
    assert not (tmp_path / ".venv").exists()


# Skips --------------------------------------------------------------------------------------------------------------

SKIPPING = """
import pytest

def test_skips():
    pytest.skip("no chromium here")

@pytest.mark.skipif(True, reason="marked")
def test_marked(): ...

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_failure():
    assert False

def test_passes(): ...
"""


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ((), {"passed": 1, "skipped": 3, "xfailed": 1, "failed": 0, "error": 0}),
        (("--no-skips",), {"passed": 1, "skipped": 0, "xfailed": 1, "failed": 1, "error": 2}),
    ],
    ids=["allowed", "refused"],
)
def test_skips_fail_where_they_are_refused(tmp_path: Path, arguments: tuple[str, ...], counts: dict[str, int]):
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
        "-q",
        "--continue-on-collection-errors",
    ]
    run = subprocess.run(
        [*command, *arguments], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    closing = run.stdout.strip().splitlines()[-1]
    found = {word: int(m[1]) if (m := re.search(rf"(\d+) {word}", closing)) else 0 for word in counts}
    assert found == counts, run.stdout
    assert ("no chromium here" in run.stdout) == bool(arguments)
