"""The controls of how skeletons are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from page.events import Values
from page.i18n.labels import label, say
from pose.drawing import PALETTES, DrawSettings
from pose.drawing.skeletons import LEFT, RIGHT

EVERYONE = -1
"""Value of the chips when nobody is picked out."""

SWITCHES = ("face", "ids", "boxes")
"""Fields of `DrawSettings` that are on or off."""

SIDES = PALETTES[1]


@dataclass(frozen=True)
class DrawingControls:
    """The components, named as in `DrawSettings`; `switches` holds the boolean fields."""

    highlight: gr.Radio
    palette: gr.Radio
    dim: gr.Slider
    switches: gr.CheckboxGroup
    legend: gr.HTML

    @property
    def all(self) -> tuple[gr.Radio, gr.Radio, gr.Slider, gr.CheckboxGroup]:
        return self.highlight, self.palette, self.dim, self.switches

    def settings(self, values: Values) -> DrawSettings:
        """Drawing settings from the controls' values."""
        highlight = values[self.highlight]
        return DrawSettings(
            **{name: name in values[self.switches] for name in SWITCHES},
            dim=values[self.dim],
            highlight=None if highlight in (None, EVERYONE) else int(highlight),
            palette=values[self.palette],
            confidence=True,
            width="median",
        )

    def people_choices(self, people: int, settings: DrawSettings) -> dict[str, Any]:
        """The update of `highlight`: everyone, or one person by number."""
        chosen = settings.highlight if settings.highlight in range(people) else EVERYONE
        choices = [(label("everyone"), EVERYONE), *((str(i + 1), i) for i in range(people))]
        return gr.update(choices=choices, value=chosen)

    def legend_of(self, settings: DrawSettings, language: str) -> str:
        """The legend: only colours of sides have one."""
        return sides_legend(language) if settings.palette == SIDES else ""


def sides_legend(language: str = "en") -> str:
    marks = (
        f'<span><i style="background:rgb{color}"></i>{say(side, language)}</span>'
        for side, color in (("left", LEFT), ("right", RIGHT))
    )
    return f'<div class="legend">{"".join(marks)}</div>'


def drawing_controls() -> DrawingControls:
    """Builds the controls inside the open `gr.Blocks`."""
    with gr.Row():
        highlight = gr.Radio(
            [(label("everyone"), EVERYONE)],
            value=EVERYONE,
            label=label("highlight"),
            elem_id="highlight",
            elem_classes="segments",
            min_width=300,
        )
        dim = gr.Slider(
            0,
            1,
            value=0,
            step=0.05,
            label=label("dim"),
            elem_id="dim",
            min_width=160,
            buttons=[],
        )
    with gr.Row():
        with gr.Column(min_width=260):
            palette = gr.Radio(
                [(label(f"palette_{name}"), name) for name in reversed(PALETTES)],
                value=SIDES,
                label=label("palette"),
                elem_id="palette",
                elem_classes="segments",
            )
            legend = gr.HTML(sides_legend(), elem_id="sides-legend")
        switches = gr.CheckboxGroup(
            [(label(f"show_{name}"), name) for name in SWITCHES],
            value=["face"],
            label=label("switches"),
            elem_id="switches",
            min_width=260,
        )
    return DrawingControls(highlight, palette, dim, switches, legend)
