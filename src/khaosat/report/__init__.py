"""From a notebook to a finished report; the only caller of papermill and of the renderers.

A report notebook calls these, one a cell: :func:`gather`, then the sections.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "lateness": ("by_group", "open_dossiers", "procedures", "punctuality"),
    "method": ("method", "quality"),
    "quarter": ("Quarter", "gather"),
    "runner": ("Outcome", "ReportFailed", "build"),
    "satisfaction": ("satisfaction",),
    "summary": ("summary",),
}
_WHERE = {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
