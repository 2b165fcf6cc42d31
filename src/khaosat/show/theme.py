"""One house theme for every figure: fonts with all Vietnamese letters, colours that survive grey print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path

# Okabe and Ito (2008), Color Universal Design: told apart by colour-blind readers; dark to light for grey print.
INK = "#222222"
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREY = "#8A8A8A"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, GREY)

WIDTH = 6.3
"""Inches: the text width of an A4 page with 30 and 20 mm margins."""
HALF = 3.05
"""Inches: the width of a figure that stands beside another."""


def font_folder() -> Path:
    """Folder of the shipped TTF files (Tinos for text, Arimo for figures)."""
    return Path(str(resources.files("khaosat.show") / "fonts"))


@contextmanager
def theme() -> Iterator[None]:
    """The house theme inside the block; nothing global is changed."""
    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.rcsetup import cycler

    _register_fonts()
    style = {
        **sns.axes_style("whitegrid"),
        "font.family": "Arimo", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "axes.labelsize": 9, "axes.edgecolor": GREY, "axes.labelcolor": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid.axis": "x",
        "grid.color": "#E3E3E3", "text.color": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.prop_cycle": cycler(color=PALETTE), "legend.frameon": False,
        "figure.figsize": (WIDTH, 3.2), "figure.constrained_layout.use": True,
        "svg.fonttype": "path", "svg.hashsalt": "khaosat", "savefig.dpi": 200,
    }  # fmt: skip
    _load_backend()
    with mpl.rc_context(style):
        yield


@cache
def _load_backend() -> None:
    """Load the backend outside the style: what a notebook's own sets to show figures would be undone at its end."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    plt.switch_backend(mpl.get_backend())


@cache
def _register_fonts() -> None:
    from matplotlib import font_manager

    for file in sorted(font_folder().glob("Arimo-*.ttf")):
        font_manager.fontManager.addfont(str(file))
