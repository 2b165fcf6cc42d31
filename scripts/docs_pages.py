"""Pages of the documentation site that are made when it is built, so that they are never older than what they show.

A hook of MkDocs (``mkdocs.yml``). It adds the API reference (one page a package, from ``khaosat``'s public names), the
running guide of ``deploy/`` and the changelog; fills in the facts and the list of methods; and turns formulae into
MathML, which browsers draw without a script.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import latex2mathml.converter
import pandas as pd
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import khaosat
from khaosat.facts import read_table

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "src/khaosat/facts"

COPIED = {"huong-dan/trien-khai.md": "deploy/README.md", "thay-doi.md": "CHANGELOG.md"}
"""Pages whose text lies elsewhere in the repository."""

API = {
    "domain": ("Nouns", ("domain", "workspace", "results")),
    "data": ("Reading and checking data", ("io", "quality", "dossiers.frames")),
    "survey": ("Survey verbs", ("survey",)),
    "dossiers": ("Dossier verbs", ("dossiers",)),
    "evaluate": ("Survey and log together, policies", ("evaluate",)),
    "scorecards": ("Scorecards", ("scorecards",)),
    "other": ("Errors, language, figures, reports", ("",)),
}
"""File, title, and the modules whose public names stand there: the first page whose module fits has the name."""

FACT_FOLDERS = ("rules", "published", "calendars", "codes", "questionnaires", "mappings")
"""Of ``facts/``: what rests on a source. ``sample/`` is invented, ``locale/`` and the glossary are words."""

MATH = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL)
ROLE = re.compile(r":(?P<role>math|func|class|meth|mod|data|attr):\s*<code>~?(?P<text>.*?)</code>", re.DOTALL)
DISPLAY = re.compile(r"<p>\.\. math::\s*(?P<tex>.*?)</p>", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the API pages, decisions, and methods that ``mkdocs.yml`` does not name yet, into the navigation."""
    decisions = section(section(config.nav, "Về dự án"), "Quyết định")
    for folder, place in (("methods", section(config.nav, "Phương pháp")), ("decisions", decisions)):
        named = set(pages_of(config.nav))
        new = [f"{folder}/{path.name}" for path in sorted((ROOT / "docs" / folder).glob("*.md"))]
        place.extend(name for name in new if name not in named)
    section(config.nav, "API").extend({title: f"api/{name}.md"} for name, (title, _) in API.items())
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of ``docs/``."""
    made = {name: (ROOT / source).read_text(encoding="utf-8") for name, source in COPIED.items()}
    made |= {f"api/{name}.md": api_page(name) for name in API}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what a page asks for, and turn links to files of the repository into links to their pages."""
    for name, source in COPIED.items():
        up = "../" * page.file.src_uri.count("/")
        markdown = markdown.replace(f"]({up}../{source})", f"]({up}{name})")
    markdown = markdown.replace("<!-- methods -->", method_list(config.nav))
    return re.sub(r"<!-- facts: (\w+) -->", lambda found: fact_tables(found[1]), markdown)


def on_page_content(text: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulae as MathML; names in docstrings as links to where they are described."""
    text = MATH.sub(lambda found: mathml(found["tex"], block=found["tag"] == "div", page=page), text)
    text = DISPLAY.sub(lambda found: mathml(plain(found["tex"]), block=True, page=page), text)
    return ROLE.sub(lambda found: described(found["role"], found["text"], page=page), text)


def pages_of(nav: Any) -> Iterator[str]:
    """The files that a navigation names."""
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from pages_of(part)


def section(nav: list[Any], title: str) -> list[Any]:
    """The entries of a section of the navigation, by its title."""
    return next(entry[title] for entry in nav if isinstance(entry, dict) and title in entry)


# Formulae and names -------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """HTML as the text that was written."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def mathml(tex: str, *, block: bool, page: Page) -> str:
    """A formula for the browser to draw."""
    written = html.unescape(tex).strip().replace("{,}", ",")
    try:
        return latex2mathml.converter.convert(written, display="block" if block else "inline")
    except Exception as error:
        raise PluginError(f"{page.file.src_uri}: formula {written!r}: {error!r}") from error


def described(role: str, text: str, *, page: Page) -> str:
    """A role of a docstring: a formula, or a name, linked if it is public."""
    if role == "math":
        return mathml(plain(text), block=False, page=page)
    name = plain(text).rpartition(".")[2]
    code = f"<code>{text}</code>"
    return f'<autoref optional identifier="khaosat.{name}">{code}</autoref>' if name in khaosat.__all__ else code


# API ----------------------------------------------------------------------------------------------------------------


@cache
def api_names() -> dict[str, list[str]]:
    """Public names by page."""
    found: dict[str, list[str]] = {page: [] for page in API}
    for name, home in khaosat._WHERE.items():
        module = f"{home.removeprefix('khaosat.')}."
        fits = [page for page, (_, places) in API.items() if any(module.startswith(place) for place in places)]
        exact = [page for page in fits if module.removesuffix(".") in API[page][1]]
        found[(exact or fits)[0]].append(name)
    return found


def api_page(name: str) -> str:
    """A page of the reference: a table of its names, then each from its docstring."""
    names = sorted(api_names()[name], key=str.lower)
    rows = [f"| [`{each}`][khaosat.{each}] | {first_line(each)} |" for each in names]
    table = "\n".join(["| name | what it is |", "|---|---|", *rows])
    behind = "---\nsearch: {boost: 0.5}\n---"  # guides and methods come first
    return "\n\n".join([behind, f"# {API[name][0]}", table, *(f"::: khaosat.{each}" for each in names)])


def first_line(name: str) -> str:
    """What a public name is, in the first sentence of its docstring, fit for a cell."""
    return (getattr(khaosat, name).__doc__ or "").strip().split("\n")[0].replace("``", "`").replace("|", "\\|")


# Methods and facts --------------------------------------------------------------------------------------------------


def method_list(nav: list[Any]) -> str:
    """The methods by group, each with its full title."""
    lines, loose = [], []
    for entry in section(nav, "Phương pháp")[1:]:
        if isinstance(entry, str):
            loose.append(entry)
            continue
        ((group, pages),) = entry.items()
        lines += ["", f"## {group}", "", *(method_line(page) for page in pages_of(pages))]
    return "\n".join([*lines, *(["", "## Khác", "", *map(method_line, loose)] if loose else [])])


def method_line(page: str) -> str:
    """A method: its title, with a link."""
    title = (ROOT / "docs" / page).read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")
    return f"- [{title}]({Path(page).name})"


def fact_tables(folder: str) -> str:
    """Every sourced file of a folder of facts: how many facts of which grade, and all of them to open."""
    if folder not in FACT_FOLDERS:
        raise PluginError(f"facts: no folder {folder!r}")
    files = sorted(path for path in (FACTS / folder).rglob("*") if path.suffix in (".csv", ".toml"))
    return "\n\n".join(text for text in map(fact_file, files) if text)


def fact_file(path: Path) -> str:
    """A file of facts as a folded table; nothing of one without a source column (parts of a questionnaire)."""
    name = path.relative_to(FACTS).as_posix()
    if path.suffix == ".toml":
        head = tomllib.loads(path.read_text(encoding="utf-8"))
        facts = pd.DataFrame(
            [{"id": path.stem, **{k: str(head.get(k, "")) for k in ("valid_from", "grade", "source")}}]
        )
    else:
        facts = read_table(name)
    if "source" not in facts:
        return ""
    facts = facts[[column for column in facts if not column.endswith("_en") and facts[column].any()]]
    grades = facts["grade"].value_counts().sort_index() if "grade" in facts else {}
    counted = ", ".join(f"{grade or 'không ghi'}: {n}" for grade, n in grades.items()) or "không xếp mức"
    rows = [facts.columns, ["---"] * facts.shape[1], *facts.itertuples(index=False)]
    table = "\n".join("    | " + " | ".join(map(cell, row)) + " |" for row in rows)
    return f'??? quote "`{name}` — {len(facts)} dữ kiện; mức {counted}"\n\n{table}'


def cell(text: str) -> str:
    """Text of a fact as a cell: shown as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", str(text)).replace("\n", " ")
