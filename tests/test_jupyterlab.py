"""The notebook as a researcher meets it: Run All in JupyterLab in a real browser, and what is then on the screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

import khaosat as ks
from khaosat.facts.language import number
from khaosat.show.blocks import MIME
from scripts.lint_notebooks import find_notebooks
from tests.browser import chromium
from tests.shared import ROOT


def metadata(notebook: Path) -> dict:
    """What a notebook says of itself; those of reports name their parts."""
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]


PATIENCE = 180
"""Seconds that a busy machine may take for one step."""

REPORT, OWN = "notebooks/bao-cao-quy.ipynb", "notebooks/tim-hieu.ipynb"
START = "notebooks/bat-dau.ipynb"
CONFIG = ROOT / "scripts/jupyterlab/config.py"
PICTURES = os.environ.get("KHAOSAT_SCREENSHOTS", "")
"""A folder for pictures of every research notebook after Run All, in both themes; none are taken without it."""

RESEARCH = [path.stem for path in find_notebooks([ROOT / "notebooks"]) if "khaosat" not in metadata(path)]
CELLS = [
    "import khaosat as ks\n\nlog = ks.Workspace.find().log()\nlog",
    'ks.on_time(log, period="2026-Q3", by="field")',
]

READY = """path => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.path === path && panel.context.isReady && panel.isRevealed && panel.sessionContext.isReady;
}"""

RUN_ALL = """() => {
    window.ran = null;
    const ended = answer => { window.ran = String(answer); };
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(ended, ended);
}"""

SETTLED = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const areas = panel.content.widgets.filter(cell => cell.model.type === 'code').map(cell => cell.outputArea);
    const all = (area, query) => [...area.node.querySelectorAll(query)];
    const drawn = area => all(area, '.jp-OutputArea-output').filter(output => output.hasChildNodes()).length;
    return window.ran !== null && panel.sessionContext.session.kernel.status === 'idle'
        && areas.every(area => drawn(area) >= area.model.length && all(area, 'img').every(image => image.complete));
}"""

# Read from each cell's own node: JupyterLab may keep cells that are far off the screen out of the page.
SHOWN = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code');
    const all = (node, query) => [...node.querySelectorAll(query)];
    const words = (node, query) => all(node, query).map(e => e.textContent);
    const aligned = row => [...row.cells].map(e => getComputedStyle(e).textAlign);
    const table = e => ({
        caption: e.caption?.textContent,
        head: words(e, 'thead th'),
        cells: [...e.tBodies[0].rows].map(row => words(row, 'td')),
        aligned: [...e.tHead.rows, ...e.tBodies[0].rows].slice(0, e.tHead.rows.length + 1).map(aligned),
    });
    const image = e => ({
        alt: e.alt, pixels: e.naturalWidth, width: e.getBoundingClientRect().width,
        caption: e.closest('figure')?.querySelector('figcaption').textContent,
    });
    return cells.map(({model, outputArea: {model: outputs, node}}) => ({
        count: model.executionCount,
        outputs: outputs.toJSON(),
        items: words(node, 'li'),
        ordered: words(node, 'ol > li'),
        tables: all(node, 'table').map(table),
        images: all(node, 'img').map(image),
    }));
}"""


HEIGHT = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    return Math.ceil(cells.reduce((sum, cell) => sum + cell.node.getBoundingClientRect().height, 0));
}"""

TOP = """() => {
    window.jupyterapp.shell.currentWidget.content.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 0;
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> ks.Workspace:
    """A copy of the sample workspace, read in, with a notebook of the researcher's own beside the report's."""
    root = tmp_path_factory.mktemp("workspace")
    for folder in ("notebooks", "data/sample"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "khaosat.toml", root)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / OWN)
    workspace = ks.Workspace.find(root)
    workspace.ingest()
    return workspace


@contextmanager
def jupyterlab(root: Path, *, state: Path) -> Iterator[dict]:
    """What JupyterLab of this environment says of itself (url, token …) while it serves ``root``."""
    # Nothing of the machine's own set-up, nor the tests' figure backend, gets into the server or its kernels.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "KHAOSAT_WORKSPACE", "MPLBACKEND"))}
    places = {name: state / name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
    for place in places.values():
        place.mkdir()
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--config={CONFIG}", "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    with (
        (state / "log").open("w+", encoding="utf-8") as log,
        subprocess.Popen(
            command, cwd=root, env={**kept, **{f"JUPYTER_{name}_DIR": str(p) for name, p in places.items()}},
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        ) as server,
    ):  # fmt: skip
        try:
            yield _served(server, runtime=places["RUNTIME"], log=state / "log")
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()


def _served(server: subprocess.Popen, *, runtime: Path, log: Path) -> dict:
    """The file that the server writes once it listens: it took a free port and made a token by itself."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        for file in runtime.glob("jpserver-*.json"):
            with suppress(ValueError):  # half written
                return json.loads(file.read_text(encoding="utf-8"))
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


@pytest.fixture(scope="module")
def lab(workspace, tmp_path_factory) -> Iterator[tuple]:
    """A page in the browser, the server behind it, and the addresses that the page asked for."""
    with (
        chromium() as browser,
        jupyterlab(workspace.root, state=tmp_path_factory.mktemp("jupyter")) as server,
    ):
        page, asked = browser.new_page(), []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: asked.append(request.url))
        yield page, server, asked
        page.close()


def run_all(lab, path: str) -> list[dict]:
    """Open a notebook, Run All, and give what every code cell then shows."""
    page, server, _ = lab
    page.goto(f"{server['url']}lab/tree/{path}?reset&token={server['token']}")
    page.wait_for_function(READY, arg=path)
    page.evaluate(RUN_ALL)
    page.wait_for_function(SETTLED)
    return page.evaluate(SHOWN)


@pytest.fixture(scope="module")
def report(lab) -> list[dict]:
    return run_all(lab, REPORT)


@pytest.fixture(scope="module")
def own(lab) -> list[dict]:
    return run_all(lab, OWN)


def everything(cells: list[dict], what: str) -> list:
    return [thing for cell in cells for thing in cell[what]]


def twins(cells: list[dict], kind: str) -> list[dict]:
    """Blocks of a kind that the outputs carry for the report."""
    data = (output.get("data", {}) for output in everything(cells, "outputs"))
    return [block for bundle in data for block in bundle.get(MIME, []) if block["kind"] == kind]


def picture(page, name: str) -> None:
    """The whole notebook, in the light theme and in the dark one, if pictures are asked for."""
    if not PICTURES:
        return
    folder, size = Path(PICTURES), page.viewport_size
    folder.mkdir(parents=True, exist_ok=True)
    for shade in ("light", "dark"):
        page.emulate_media(color_scheme=shade)  # overrides.json: the theme is the system's
        page.wait_for_function(
            "shade => document.body.dataset.jpThemeName === `JupyterLab ${shade}`", arg=shade.title()
        )
        page.set_viewport_size({"width": 1280, "height": min(page.evaluate(HEIGHT) + 200, 16_000)})
        page.evaluate(TOP)
        page.screenshot(path=folder / f"{name}-{shade}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)


def test_the_front_door_is_the_start_page(lab):
    page, server, _ = lab
    page.goto(f"{server['url']}?token={server['token']}")
    page.wait_for_function(READY, arg=START)
    links = page.eval_on_selector_all(".jp-Notebook a[href]", "links => links.map(link => link.textContent)")
    assert {*links} >= {path.stem for path in find_notebooks([ROOT / "notebooks"])} - {"bat-dau"}


def test_vietnamese_code_is_set_in_a_font_that_has_its_letters(own, lab):
    """DejaVu Sans Mono and Liberation Mono, which Linux would take, lack letters such as ế and ả."""
    font = lab[0].evaluate("() => getComputedStyle(document.querySelector('.cm-content')).fontFamily")
    assert font.startswith('Cousine, "Noto Sans Mono", Consolas')


@pytest.mark.parametrize("name", RESEARCH)
def test_run_all_of_a_research_notebook(lab, name):
    cells = run_all(lab, f"notebooks/{name}.ipynb")
    errors = [output for output in everything(cells, "outputs") if output["output_type"] in ("error", "stream")]
    assert errors == [], "neither an error nor a warning on stderr"
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert everything(cells, "tables") or everything(cells, "items")
    assert all(image["pixels"] > 0 for image in everything(cells, "images"))
    picture(lab[0], name)
    lab[0].evaluate("() => window.jupyterapp.commands.execute('kernelmenu:shutdown')")


@pytest.mark.parametrize("notebook", ["report", "own"])
def test_every_cell_runs_without_error(request, notebook):
    cells = request.getfixturevalue(notebook)
    errors = [output for output in everything(cells, "outputs") if output["output_type"] in ("error", "stream")]
    assert errors == [], "neither an error nor a warning on stderr"
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))


def test_summary_is_a_numbered_list(report):
    sentences = ["".join(run["text"] for run in item) for item in twins(report, "list")[0]["items"]]
    summary = next(cell for cell in report if cell["items"])
    assert summary["ordered"] == sentences
    assert len(sentences) >= 4
    assert sentences[0].startswith("Chỉ số hài lòng chung")


def test_every_table_on_the_screen_says_what_the_report_will_print(report):
    shown, blocks = everything(report, "tables"), twins(report, "table")
    assert len(shown) == len(blocks) >= 8
    for table, block in zip(shown, blocks, strict=True):
        assert (table["caption"], table["cells"]) == (block["title"], block["cells"])
        labels = [column[key] for column in block["columns"] for key in ("label", "group") if column[key]]
        assert set(table["head"]) == set(labels)
        assert {*block["notes"], block["source"]} <= {*everything(report, "items"), ""}


def test_every_figure_is_drawn_and_described(report):
    shown, blocks = everything(report, "images"), twins(report, "figure")
    assert len(shown) == len(blocks) >= 4
    for image, block in zip(shown, blocks, strict=True):
        assert image["pixels"] > 0
        assert image["width"] > (250 if block.get("half") else 400)
        assert (image["alt"], image["caption"]) == (block["alt"], block["title"])
        assert block["alt"]


def test_headings_stand_over_their_columns(report):
    pairs = zip(everything(report, "tables"), twins(report, "table"), strict=True)
    plain = [(shown["aligned"], block) for shown, block in pairs if not any(c["group"] for c in block["columns"])]
    assert len(plain) >= 4
    for (head, body), block in plain:
        sides = ["left" if column["type"] in ("text", "date") else "right" for column in block["columns"]]
        assert head == body == sides, "JupyterLab itself would put everything to the right"


def test_a_log_and_a_result_show_themselves(own, workspace):
    log = workspace.log()
    of_log, of_result = own
    assert f"Hồ sơ: {number(log.engine.query('SELECT count(*) AS n FROM dossiers')['n'][0].as_py())}" in of_log["items"]
    table = ks.on_time(log, period="2026-Q3", by="field").table()
    assert [(shown["caption"], shown["cells"]) for shown in of_result["tables"]] == [
        (table.title, [list(row) for row in table.cells])
    ]


def test_nobody_else_is_asked_for_anything(report, own, lab):
    hosts = {urlsplit(url).netloc for url in lab[2] if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(lab[1]["url"]).netloc}
