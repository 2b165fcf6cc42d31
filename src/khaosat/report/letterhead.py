"""The report's frame: who reports, on what, to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from khaosat.facts.language import Lang, say
from khaosat.report.document import Document, Letterhead, read_notebook
from khaosat.report.notebook import prose

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from khaosat.domain.period import Period
    from khaosat.workspace import Workspace


def document(
    workspace: Workspace,
    executed: NotebookNode,
    *,
    period: Period,
    lang: Lang,
    key: str,
    words: Mapping[str, object] | None = None,
) -> Document:
    """The executed notebook as a document under the workspace's letterhead; always a draft, unsigned and undated.

    ``words``: the run's parameters, which the subject may name.
    """
    city = workspace.city
    subject = executed.metadata.get("khaosat", {}).get(f"subject_{lang}", "{period}")
    label = period.label.replace(" ", "\N{NO-BREAK SPACE}")  # "quý III" stays on one line
    subject = subject.format(**{**(words or {}), "period": label})
    head = Letterhead(
        parent_agency=city.parent_agency,
        agency=city.agency,
        place=city.place,
        year=period.end.year,
        subject=subject,
        draft=True,
        recipients=workspace.report.recipients,
        signer=workspace.report.signer,
    )
    made = say("Made by khaosat from the stored data; input key {key}.", key=key[:16])
    provenance = f"{made} {workspace.source}".strip()
    blocks = read_notebook(prose(executed))
    return Document(letterhead=head, blocks=blocks, lang=lang, title=subject, provenance=provenance)
