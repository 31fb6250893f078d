"""Controls that several tabs share."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from page.events import QUIET
from page.i18n.labels import label
from page.models import DEFAULT_PRESET, Models
from page.photo.weights_menu import weights_choices
from pose import PRESETS


def weights_and_preset(
    models: Models, prefix: str, preset: str = DEFAULT_PRESET
) -> tuple[gr.Dropdown, gr.Radio]:
    """A drop-down of weights and the presets; element ids begin with `prefix`."""
    weights = gr.Dropdown(
        weights_choices(models),
        value=models.default_pair()[0],
        label=label("weights"),
        elem_id=f"{prefix}-weights",
    )
    presets = gr.Radio(
        [(label(f"preset_{name}"), name) for name in PRESETS],
        value=preset,
        label=label("preset"),
        elem_id=f"{prefix}-preset",
    )
    return weights, presets


def fill_on_load(demo: gr.Blocks, models: Models, weights: gr.Dropdown) -> None:
    """Reads the catalogue when the page is opened; what is chosen stays."""

    def choices() -> dict[str, Any]:
        return gr.update(choices=weights_choices(models))

    demo.load(choices, None, [weights], **QUIET)


def lines(*texts: str, share: float | None = None) -> str:
    """Sentences in the style of the status line, with a bar above for a share done, 0 to 1."""
    bar = "" if share is None else f'<progress max="1" value="{share:.3f}"></progress>'
    spans = "".join(f"<span>{escape(text)}</span>" for text in texts)
    return f'<div class="lines" role="status" aria-live="polite">{bar}{spans}</div>'
