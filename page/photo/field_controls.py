"""The controls of heatmaps and PAFs: kind, channel, stage, opacity, and their colour scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from page.events import Values
from page.i18n.labels import label, say
from page.photo.pictures import HEATMAP, STAGES, FieldChoice
from page.photo.views import HEATMAP as HEATMAP_VIEW
from pose.drawing import ALL_KEYPOINTS, ALL_LIMBS, PAF_KINDS
from pose.skeleton import KEYPOINTS, LIMBS


@dataclass(frozen=True)
class FieldControls:
    """The components."""

    kind: gr.Radio
    channel: gr.Dropdown
    stage: gr.Slider
    play: gr.Button
    opacity: gr.Slider
    legend: gr.HTML

    @property
    def inputs(self) -> set[Any]:
        return {self.kind, self.channel, self.stage, self.opacity}

    def choice(self, values: Values, view: str) -> FieldChoice:
        """What to draw; a channel of the other kind means all of this one."""
        kind = HEATMAP if view == HEATMAP_VIEW else values[self.kind]
        channel = values[self.channel]
        names = [name for _, name in channel_choices(kind)]
        return FieldChoice(kind, channel if channel in names else names[0], int(values[self.stage]))

    def channel_update(self, choice: FieldChoice) -> dict[str, Any]:
        return gr.update(choices=channel_choices(choice.kind), value=choice.channel)


def channel_choices(kind: str) -> list[tuple[str | I18nData, str]]:
    """Keypoints for a heatmap, limbs for a PAF: a label in the visitor's language and the name."""
    if kind == HEATMAP:
        keypoints = [(label(f"keypoint_{i}"), k.name) for i, k in enumerate(KEYPOINTS)]
        last = (label(f"keypoint_{len(KEYPOINTS)}"), "background")
        return [(label("all_keypoints"), ALL_KEYPOINTS), *keypoints, last]
    limbs = [(label(f"limb_{i}"), limb.name) for i, limb in enumerate(LIMBS)]
    return [(label("all_limbs"), ALL_LIMBS), *limbs]


def field_legend(kind: str, high: float, language: str = "en") -> str:
    """What the colours of a field mean."""
    if kind == "direction":
        return f'<div class="legend"><i class="wheel"></i>{say("legend_direction", language)}</div>'
    text = say("legend_heatmap" if kind == HEATMAP else "legend_length", language)
    bar = "plasma" if kind == "arrows" else "inferno"
    return f'<div class="legend">{text}: 0 <i class="bar {bar}"></i> {high:.2f}</div>'


def kind_control() -> gr.Radio:
    """The kinds of PAF, inside the open `gr.Blocks`."""
    return gr.Radio(
        [(label(f"kind_{name}"), name) for name in PAF_KINDS],
        value="direction",
        label=label("kind"),
        elem_id="field-kind",
        elem_classes="segments",
    )


def field_controls(kind: gr.Radio) -> FieldControls:
    """Builds the other controls inside the open `gr.Blocks`."""
    with gr.Row():
        channel = gr.Dropdown(
            channel_choices(HEATMAP),
            value=ALL_KEYPOINTS,
            label=label("channel"),
            elem_id="field-channel",
            min_width=200,
        )
        with gr.Column(min_width=220):
            stage = gr.Slider(
                1,
                STAGES,
                value=STAGES,
                step=1,
                label=label("stage"),
                elem_id="field-stage",
                buttons=[],
            )
        play = gr.Button(label("play"), size="md", elem_id="field-play", scale=0, min_width=110)
        opacity = gr.Slider(
            0,
            1,
            value=1,
            step=0.05,
            label=label("opacity"),
            elem_id="field-opacity",
            min_width=160,
            buttons=[],
        )
    return FieldControls(kind, channel, stage, play, opacity, gr.HTML(elem_id="field-legend"))
