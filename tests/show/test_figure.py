import pandas as pd
import pytest

from khaosat.show.figure import draw
from khaosat.show.plots import intervals

ROWS = pd.DataFrame({"unit": ["Đất đai", "Hộ tịch"], "estimate": [0.2, 0.6], "low": [0.1, 0.5], "high": [0.3, 0.7]})


def axes():
    return intervals(ROWS, keys=["unit"], unit="share")


def test_dots_stand_at_the_estimates_in_row_order():
    ax = axes()
    dots = ax.lines[0]
    assert list(dots.get_xdata()) == [20.0, 60.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Đất đai", "Hộ tịch"]
    assert dots.get_ydata()[0] > dots.get_ydata()[1]
    draw(ax, title="t", alt="a sentence")


def test_same_data_same_bytes():
    first, second = (draw(axes(), title="t", alt="a sentence") for _ in range(2))
    assert (first.svg, first.png) == (second.svg, second.png)
    assert "<text" not in first.svg, "glyphs are paths, so that no font is needed"


@pytest.mark.parametrize(("title", "alt"), [("", "x"), ("x", ""), ("x", "x")])
def test_a_figure_needs_words(title, alt):
    ax = axes()
    with pytest.raises(ValueError, match="alt text"):
        draw(ax, title=title, alt=alt)


def test_html_carries_words_notes_and_source_escaped():
    page = draw(axes(), title="t < u", alt='"a" sentence', notes=("n < 30",), source="Nguồn: x")._repr_html_()
    assert 'alt="&quot;a&quot; sentence"' in page
    assert "t &lt; u</figcaption>" in page
    assert "<li>n &lt; 30</li><li>Nguồn: x</li>" in page
