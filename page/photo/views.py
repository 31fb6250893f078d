"""The views of the canvas: what each shows, and which controls belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class View:
    """A way to see the result.

    Attributes:
        name: in the address; its label is the text `view_NAME`.
        canvas: name of the field of `Canvas` that shows it.
        controls: names of the groups of controls under the canvas that belong to it.
    """

    name: str
    canvas: str
    controls: tuple[str, ...]


SKELETONS, HEATMAP, PAF, BLACK, COMPARE = "skeletons", "heatmap", "paf", "black", "compare"
CORRECT = "correct"

VIEWS = {
    view.name: view
    for view in (
        View(SKELETONS, "skeleton", ("people", "drawing")),
        View(HEATMAP, "field_map", ("field",)),
        View(PAF, "field_map", ("kind", "field")),
        View(BLACK, "skeleton", ("people", "size")),
        View(COMPARE, "comparison", ("people", "compare")),
        View(CORRECT, "board", ("collect",)),
    )
}

CONTROLS = tuple(dict.fromkeys(name for view in VIEWS.values() for name in view.controls))

HIDDEN: Literal["hidden"] = "hidden"
"""For Gradio's `visible`: what is not there at all is made anew when it is shown again."""

SLIDER, COLUMNS, DIFFERENCES = "slider", "columns", "differences"
COMPARISONS = (SLIDER, COLUMNS, DIFFERENCES)
"""The ways to compare; all but the slider are one picture."""
