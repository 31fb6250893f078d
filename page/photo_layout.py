"""The photo tab: what lies where. `photo_events` says what happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from page.components import photo_input
from page.labels import label, say
from page.models import DEFAULT_PRESET, NO_WEIGHTS, Models
from page.own_weights import OwnControls, own_controls
from page.pictures import HEATMAP, KINDS, STAGES
from page.words import weights_label
from pose import PRESETS, DecodeSettings, WeightsCard
from pose.field_figures import ALL_JOINTS, ALL_LIMBS
from pose.render import PALETTES
from pose.skeleton import KEYPOINTS, LIMBS

EXAMPLES_DIR = Path(__file__).resolve().parents[1] / "assets" / "examples"
EXAMPLES = tuple(
    str(EXAMPLES_DIR / f"{name}.jpg")
    for name in ("four-people", "astronaut", "photographer", "grace-hopper")
)
DEFAULTS = DecodeSettings()
EVERYONE = -1
"""Value of the drop-down "highlight" when nobody is picked out."""

SWITCHES = ("face", "ids", "boxes", "black")
"""Fields of `DrawSettings` that are on or off."""

SESSION_SECONDS = 3600
"""How long a visitor's photo and maps stay in memory."""


@dataclass
class PhotoTab:
    """The components of the tab by what they are for."""

    session: gr.State
    photo: gr.Image
    examples: gr.Examples
    weights_a: gr.Dropdown
    weights_b: gr.Dropdown
    refresh: gr.Button
    weights_note: gr.Markdown
    own: OwnControls
    preset: gr.Radio
    run: gr.Button
    status: gr.HTML
    skeleton: gr.Image
    comparison: gr.ImageSlider
    column_a: gr.Image
    column_b: gr.Image
    column_truth: gr.Image
    facts: gr.HTML
    drawing: list[gr.components.Component]
    strip: gr.HTML
    thresholds: list[gr.Slider]
    reset: gr.Button
    kind: gr.Radio
    channel: gr.Dropdown
    stage: gr.Slider
    field_a: gr.Image
    field_b: gr.Image
    table_of: gr.Radio
    table: gr.Dataframe
    downloads: gr.File


def weights_choices(
    models: Models, own: Mapping[str, WeightsCard] | None = None, *, optional: bool = False
) -> list[tuple[Any, str]]:
    """What a weights drop-down offers: label and name, or key of the visitor's own."""
    choices: list[tuple[Any, str]] = [(weights_label(c), c.name) for c in models.cards()]
    choices += [(weights_label(card), key) for key, card in (own or {}).items()]
    return [(label("none"), NO_WEIGHTS), *choices] if optional else choices


def channel_choices(kind: str) -> list[tuple[Any, str]]:
    """Joints for a heatmap, limbs for a PAF: a label in the visitor's language and the name."""
    if kind == HEATMAP:
        joints = [(label(f"joint_{i}"), k.name) for i, k in enumerate(KEYPOINTS)]
        return [(label("all_joints"), ALL_JOINTS), *joints, (label("joint_18"), "background")]
    limbs = [(label(f"limb_{i}"), limb.name) for i, limb in enumerate(LIMBS)]
    return [(label("all_limbs"), ALL_LIMBS), *limbs]


def photo_tab(models: Models) -> PhotoTab:
    """Builds the tab inside the open `gr.Blocks`."""
    parts: dict[str, Any] = {"session": gr.State(time_to_live=SESSION_SECONDS)}
    with gr.Row(equal_height=False, elem_id="desk"):
        with gr.Column(scale=5, min_width=320):
            parts |= controls(models)
        with gr.Column(scale=8, min_width=320):
            parts |= results()
    parts |= how_it_works()
    parts |= inside()
    parts |= people()
    return PhotoTab(**parts)


def controls(models: Models) -> dict[str, Any]:
    first, second = models.default_pair()
    photo = photo_input(
        label=label("photo"),
        sources=["upload", "webcam", "clipboard"],
        elem_id="input-image",
        height=300,
        value=EXAMPLES[0],
        alt_text=say("alt_photo"),
        buttons=["fullscreen"],
    )
    examples = gr.Examples(
        [[path] for path in EXAMPLES],
        [photo],
        label=label("examples"),
        elem_id="examples",
        api_visibility="private",
    )
    with gr.Group():
        weights_a = gr.Dropdown(
            weights_choices(models), value=first, label=label("weights_a"), elem_id="weights-a"
        )
        weights_b = gr.Dropdown(
            weights_choices(models, optional=True),
            value=second,
            label=label("weights_b"),
            elem_id="weights-b",
        )
    with gr.Row(elem_id="weights-line"):
        weights_note = gr.Markdown(elem_classes="hint", elem_id="weights-note")
        refresh = gr.Button(label("refresh"), size="sm", scale=0, min_width=120, elem_id="refresh")
    own = own_controls(models)
    preset = gr.Radio(
        [(label(name), name) for name in PRESETS],
        value=DEFAULT_PRESET,
        label=label("preset"),
        info=label("preset_info"),
        elem_id="preset",
    )
    run = gr.Button(label("run"), variant="primary", size="lg", elem_id="run")
    with gr.Accordion(label("drawing"), open=True, elem_id="drawing"):
        drawing = drawing_controls()
    return {
        "photo": photo,
        "examples": examples,
        "weights_a": weights_a,
        "weights_b": weights_b,
        "refresh": refresh,
        "weights_note": weights_note,
        "own": own,
        "preset": preset,
        "run": run,
        "drawing": drawing,
    }


def results() -> dict[str, Any]:
    status = gr.HTML(elem_id="status")
    with gr.Tabs(elem_id="views"):
        with gr.Tab(label("skeleton_tab"), id="skeleton-view"):
            skeleton = gr.Image(
                label=label("skeleton"),
                elem_id="skeleton",
                interactive=False,
                height=560,
                buttons=["fullscreen"],
                alt_text=say("alt_skeleton"),
            )
            gr.Markdown(label("skeleton_hint"), elem_classes="hint")
        with gr.Tab(label("compare_tab"), id="compare-view"):
            comparison = gr.ImageSlider(
                label=label("comparison"),
                elem_id="comparison",
                interactive=False,
                max_height=620,
                buttons=["fullscreen"],
            )
            facts = gr.HTML(elem_id="facts")
        with gr.Tab(label("columns_tab"), id="columns-view"), gr.Row():
            columns = [column(name, f"column-{name.lower()}") for name in "AB"]
            column_truth = column(label("truth"), "column-truth", visible=False)
    with gr.Accordion(label("thresholds"), open=True, elem_id="thresholds"):
        gr.Markdown(label("thresholds_hint"), elem_classes="hint")
        with gr.Row():
            thresholds = threshold_sliders()
        reset = gr.Button(label("reset"), size="sm", elem_id="reset-thresholds")
    return {
        "status": status,
        "skeleton": skeleton,
        "comparison": comparison,
        "column_a": columns[0],
        "column_b": columns[1],
        "column_truth": column_truth,
        "facts": facts,
        "thresholds": thresholds,
        "reset": reset,
    }


def column(name: Any, element: str, *, visible: bool = True) -> gr.Image:
    return gr.Image(
        label=name,
        elem_id=element,
        interactive=False,
        buttons=["fullscreen"],
        min_width=180,
        alt_text=say("alt_skeleton"),
        visible=visible,
    )


def drawing_controls() -> list[gr.components.Component]:
    """In the order of `photo_events.drawing_of`."""
    with gr.Group():
        highlight = gr.Dropdown(
            [(label("everyone"), EVERYONE)],
            value=EVERYONE,
            label=label("highlight"),
            elem_id="highlight",
            min_width=140,
        )
        palette = gr.Radio(
            [(label(name), name) for name in PALETTES],
            value=PALETTES[0],
            label=label("palette"),
            elem_id="palette",
            min_width=260,
        )
        dim = gr.Slider(
            0,
            1,
            value=0,
            step=0.05,
            label=label("dim"),
            elem_id="dim",
            min_width=180,
            buttons=[],
        )
    switches = gr.CheckboxGroup(
        [(label(f"show_{name}"), name) for name in SWITCHES],
        value=["face"],
        label=label("switches"),
        elem_id="switches",
    )
    return [highlight, palette, dim, switches]


def threshold_sliders() -> list[gr.Slider]:
    """In the order of `photo_events.settings_of`."""
    ranges = {
        "peak_threshold": (0.01, 0.9, 0.01),
        "limb_threshold": (0.01, 0.9, 0.01),
        "samples_needed": (1, DEFAULTS.limb_samples, 1),
        "min_parts": (1, len(KEYPOINTS), 1),
        "min_score": (0.0, 0.9, 0.01),
    }
    return [
        gr.Slider(
            low,
            high,
            value=getattr(DEFAULTS, name),
            step=step,
            label=label(name),
            elem_id=name.replace("_", "-"),
            min_width=200,
            buttons=[],
        )
        for name, (low, high, step) in ranges.items()
    ]


def how_it_works() -> dict[str, Any]:
    with gr.Column(elem_classes="section"):
        gr.Markdown(label("how_title"))
    return {"strip": gr.HTML(elem_id="strip")}


def inside() -> dict[str, Any]:
    with gr.Column(elem_classes="section"):
        gr.Markdown(label("inside_title"))
        gr.Markdown(label("inside_hint"))
    with gr.Row():
        kind = gr.Radio(
            [(label(name), name) for name in KINDS],
            value=HEATMAP,
            label=label("kind"),
            elem_id="field-kind",
            scale=4,
            min_width=300,
        )
        channel = gr.Dropdown(
            channel_choices(HEATMAP),
            value=ALL_JOINTS,
            label=label("channel"),
            elem_id="field-channel",
            scale=2,
            min_width=240,
        )
        stage = gr.Slider(
            1,
            STAGES,
            value=STAGES,
            step=1,
            label=label("stage"),
            info=label("stage_info"),
            elem_id="field-stage",
            scale=2,
            min_width=240,
            buttons=[],
        )
    with gr.Row():
        fields = [
            gr.Image(
                label=label(f"field_{name}"),
                elem_id="field-map" if name == "a" else "field-map-b",
                interactive=False,
                format="png",
                height=600,
                buttons=["fullscreen"],
                alt_text=say("alt_field"),
                visible=name == "a",
            )
            for name in "ab"
        ]
    return {
        "kind": kind,
        "channel": channel,
        "stage": stage,
        "field_a": fields[0],
        "field_b": fields[1],
    }


def people() -> dict[str, Any]:
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            with gr.Column(elem_classes="section"):
                gr.Markdown(label("people_title"))
                gr.Markdown(label("people_hint"))
            table_of = gr.Radio(
                list("AB"), value="A", label=label("table_of"), visible=False, elem_id="table-of"
            )
            table = gr.Dataframe(
                headers=[say(f"col_{name}") for name in ("person", "joint", "x", "y")]
                + [say("col_score"), say("col_visible")],
                datatype=["number", "str", "str", "str", "str", "str"],
                interactive=False,
                max_height=420,
                elem_id="people",
                column_widths=["80px", "170px", "90px", "90px", "80px", "90px"],
                show_label=False,
                buttons=["copy"],
            )
        with gr.Column(scale=2, min_width=320):
            with gr.Column(elem_classes="section"):
                gr.Markdown(label("take_title"))
                gr.Markdown(label("take_hint"))
            downloads = gr.File(
                label=label("downloads"),
                file_count="multiple",
                interactive=False,
                elem_id="downloads",
            )
    return {"table_of": table_of, "table": table, "downloads": downloads}
