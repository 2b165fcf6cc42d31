"""The process as it is run: its steps, what follows what, and where the late dossiers go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from khaosat.domain.dossiers import DossierLog
from khaosat.domain.period import Period
from khaosat.dossiers.attribution import bottlenecks
from khaosat.dossiers.follows import DirectlyFollows, directly_follows
from khaosat.dossiers.step_result import StepResult
from khaosat.dossiers.window import window
from khaosat.engine.query import Deadline
from khaosat.errors import KhaosatError
from khaosat.facts import privacy_threshold, term
from khaosat.facts.language import number, percent, say
from khaosat.show.table import Column
from khaosat.stats.binomial import share
from khaosat.stats.main_flow import main_flow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from khaosat.show.figure import Figure


@dataclass(frozen=True, eq=False, kw_only=True)
class ProcessMap(StepResult):
    """Transitions between steps: ``source, target`` (missing: the start, the end), ``n, share, median_worked_hours,
    drawn``.

    Parameters
    ----------
    nodes
        ``step, n`` (times reached), ``repeats`` (straight after itself), ``dossiers, late`` (closed dossiers that
        passed, and those of them that were late), ``median_hours`` (worked time it has a dossier), ``late_share,
        drawn``.
    """

    nodes: pd.DataFrame

    @property
    def keys(self) -> list[str]:
        """The pair of steps."""
        return ["source", "target"]

    def worded(self) -> pd.DataFrame:
        """The rows with words for start, end and steps without a name."""
        rows = self.rows.copy()
        rows["source"] = [say("(start)") if pd.isna(name) else name or say("(not recorded)") for name in rows["source"]]
        rows["target"] = [say("(end)") if pd.isna(name) else name or say("(not recorded)") for name in rows["target"]]
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """The map: boxes by volume, arrows by transitions with median waits, colour by the share of late dossiers."""
        from khaosat.show.process_map import process_map as draw_map

        nodes, edges = self._drawn()
        return draw_map(nodes, edges, colour_label=say("Late among the dossiers that pass the step"), ax=ax)

    def figure(self) -> Figure:
        """The map with title, alt text, notes and source, for a report."""
        from khaosat.show.figure import draw

        return draw(self.plot(), title=self.title, alt=self.alt(), notes=self.notes, source=self.source)

    def alt(self) -> str:
        """What the map shows, for those who cannot see it."""
        nodes = self._boxes()
        waits = self.worded()[self.rows["drawn"] & ~self._small_cells()].nlargest(3, "median_worked_hours")
        worst = nodes.dropna(subset=["late_share"]).nlargest(3, "late_share")
        parts = [say("Map of {steps} steps and {n} transitions.", steps=len(nodes), n=int(self.rows["drawn"].sum()))]
        if len(waits) and waits["median_worked_hours"].max() > 0:
            parts.append(say("Longest median waits: {list}.", list="; ".join(
                f"{row['source']} → {row['target']} {say('{n} h', n=number(row['median_worked_hours'], 1))}"
                for row in waits.to_dict("records"))))  # fmt: skip
        if len(worst):
            parts.append(say("Most late dossiers in passing: {list}.", list="; ".join(
                f"{_name(row['step'])} {percent(row['late_share'], 0)}"
                for row in worst.to_dict("records"))))  # fmt: skip
        return " ".join(parts)

    def _boxes(self) -> pd.DataFrame:
        """The nodes that are drawn; without measures of steps that too few dossiers pass to be published."""
        kept = self.nodes[self.nodes["drawn"]].reset_index(drop=True)
        measures = ["late_share", "median_hours"]
        kept[measures] = kept[measures].mask(kept["dossiers"] < privacy_threshold("dossiers"))
        return kept

    def _drawn(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Nodes and edges as the drawing takes them: positions for names, start and end last."""
        from khaosat.show.process_map import SHOWN

        kept = self._boxes()
        places = {name: i for i, name in enumerate(kept["step"])}
        rows = self.rows.assign(median_worked_hours=self.rows["median_worked_hours"].mask(self._small_cells()))
        rows = rows[rows["drawn"] & (rows["source"] != rows["target"])]
        edges = pd.DataFrame({
            "source": [places.get(name, len(kept)) if pd.notna(name) else len(kept) for name in rows["source"]],
            "target": [places.get(name, len(kept)) if pd.notna(name) else len(kept) + 1 for name in rows["target"]],
            "n": rows["n"].to_numpy(),
            "label": [say("{n} h", n=number(wait, 1)) if wait >= SHOWN else "" for wait in rows["median_worked_hours"]],
            "rank": (rows["n"] * rows["median_worked_hours"].fillna(0)).rank(ascending=False, method="first") - 1,
        }).reset_index(drop=True)  # fmt: skip
        entries = int(self.rows.loc[self.rows["source"].isna(), "n"].sum())
        nodes = pd.DataFrame({
            "label": [*map(_name, kept["step"]), say("Start"), say("End")], "n": [*kept["n"], entries, entries],
            "value": [*kept["late_share"], np.nan, np.nan], "repeats": [*kept["repeats"], 0, 0],
            "hours": [*kept["median_hours"], np.nan, np.nan],
        })  # fmt: skip
        return nodes, edges

    def _columns(self) -> Sequence[Column]:
        return [
            Column(name="source", label=term("step")),
            Column(name="target", label=term("next_step")),
            Column(name="n", kind="int", label=say("Transitions")),
            Column(name="share", kind="percent", decimals=1),
            Column(name="median_worked_hours", kind="number", decimals=1, label=say("Median wait (working hours)")),
        ]


def process_map(
    log: DossierLog,
    *,
    period: Period | str | None = None,
    coverage: float = 0.9,
    steps: int = 30,
    deadline: Deadline = "original",
) -> ProcessMap:
    """The map of the process as it is run: steps by volume, transitions by waiting, colour by lateness.

    Parameters
    ----------
    log
        The dossiers and their steps.
    period
        The period of the transitions, and in which the dossiers that are judged late were closed.
    coverage
        Part of the transitions between the drawn steps that are drawn at least.
    steps
        At most so many steps are drawn.
    deadline
        As in :func:`khaosat.dossiers.on_time`.

    Returns
    -------
    ProcessMap
        ``source, target, n, share, median_worked_hours, drawn``; field ``nodes``; ``figure()`` with an alt text.

    Notes
    -----
    Steps are taken by how often they are reached, and transitions by how common they are; with every step come the
    transitions of its widest way from the start and to the end (the way whose rarest transition is commonest), so that
    no step hangs in the air. A step that fewer than a tenth as many dossiers pass before their end as reach it has no
    colour: it is one of after the end. Layers by Sugiyama's method (igraph).

    References
    ----------
    Sugiyama, Tagawa, Toda (1981), IEEE Transactions on Systems, Man and Cybernetics 11, 109-125.

    Examples
    --------
    >>> from khaosat.dossiers.frames import example_steps
    >>> found = process_map(example_steps())
    >>> found.nodes[["step", "n"]].head(2).values.tolist()
    [['Thẩm định', 4], ['Tiếp nhận', 3]]
    """
    if not 0 < coverage <= 1 or steps < 1:
        raise KhaosatError(f"coverage is {coverage} and steps {steps}: give a share above 0 and at least one step")
    follows = directly_follows(log, period=period)
    blamed = bottlenecks(log, period=period, by="step", deadline=deadline)
    nodes, rows = _graph(follows, blamed.rows)
    keep = main_flow(rows["from"], rows["to"], n=rows["n"], nodes=len(nodes), coverage=coverage, most=steps)
    nodes, rows = nodes.assign(drawn=keep[0][:-2]), rows.assign(drawn=keep[1])
    notes = [
        *_extent(nodes, rows),
        say("Box: how often the step is reached, the median working hours that it has a dossier, and the share late "
            "among the closed dossiers that pass it (also its colour). Arrow: width by transitions, words by the "
            "median working hours from the end of the one step to the beginning of the other, at the arrows where "
            "most time is lost."),
        *follows.notes[:2],
    ]  # fmt: skip
    return ProcessMap(
        rows=rows[["source", "target", "n", "share", "median_worked_hours", "drawn"]], nodes=nodes, unit="count",
        notes=tuple(dict.fromkeys([*notes, *follows.notes[2:]])), source=log.source,
        title=say("Map of the process, {period}", period=window(log, period).label),
    )  # fmt: skip


def _extent(nodes: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """How much of the process is drawn; no words where there is nothing to draw."""
    if rows.empty:
        return []
    drawn = percent(float(rows.loc[rows["drawn"], "n"].sum() / rows["n"].sum()), 1)
    return [say("Drawn: {nodes} of {all} steps and {share} of the transitions; every step with its widest way from the "
                "start and to the end.", nodes=int(nodes["drawn"].sum()), all=len(nodes), share=drawn)]  # fmt: skip


def _graph(follows: DirectlyFollows, judged: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes, the largest first, and edges with their places among them; start and end come after the nodes."""
    pairs, ends = _filled(follows.rows, "source", "target"), _filled(follows.ends, "step")
    into = pairs.groupby("target")["n"].sum().add(ends.set_index("step")["starts"], fill_value=0)
    itself = pairs[pairs["source"] == pairs["target"]].set_index("target")["n"]
    nodes = into.rename_axis("step").rename("n").reset_index().sort_values("n", ascending=False, kind="stable")
    nodes = nodes.assign(n=nodes["n"].astype("int64"), repeats=nodes["step"].map(itself).fillna(0).astype("int64"))
    passed = _filled(judged, "step").set_index("step")
    for name, counted in (("dossiers", "n"), ("late", "late")):
        nodes[name] = nodes["step"].map(passed[counted]).fillna(0).astype("int64")
    nodes["median_hours"] = nodes["step"].map(passed["median_hours"])
    # A step that is mostly taken after the end, as the handing out of results, is judged on too few.
    few = 10 * nodes["dossiers"] < nodes["n"]
    nodes["late_share"] = np.where(few, np.nan, share(nodes["late"], nodes["dossiers"]))
    nodes["median_hours"] = nodes["median_hours"].mask(few)
    first, last = ends[ends["starts"] > 0], ends[ends["ends"] > 0]
    rows = pd.concat([
        pd.DataFrame({"source": None, "target": first["step"], "n": first["starts"]}), pairs,
        pd.DataFrame({"source": last["step"], "target": None, "n": last["ends"]}),
    ], ignore_index=True)  # fmt: skip
    places = {name: i for i, name in enumerate(nodes["step"])}
    rows = rows.assign(
        share=share(rows["n"], rows["n"].sum()),
        **{"from": [places.get(name, len(places)) for name in rows["source"]],
           "to": [places.get(name, len(places) + 1) for name in rows["target"]]},
    )  # fmt: skip
    return nodes.reset_index(drop=True), rows


def _filled(rows: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Steps without a name as empty text: a missing name is the start or the end."""
    return rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), "") for name in names})


def _name(step: str) -> str:
    return step or say("(not recorded)")
