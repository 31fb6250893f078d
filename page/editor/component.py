"""The editor's component: SVG over the photo, with its own JavaScript and no build step."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from page.i18n.labels import keypoint_name, say
from pose.skeleton import KEYPOINTS, LIMBS, NUM_KEYPOINTS

HERE = Path(__file__).resolve().parent
SCRIPTS = ("model.js", "canvas.js", "gestures.js", "editor.js")
"""In this order one script, since a component has one."""

WORDS = (
    *("tools", "undo", "redo", "figure", "empty", "drop", "farther", "closer", "fit", "reset"),
    *("stage", "people", "keypoints", "place", "remove", "hide", "person", "visible", "hidden"),
    *("missing", "nobody", "whole", "click", "keys", "help"),
)
"""The texts of the editor, `edit_…` in `page.i18n.editor`."""


def pose_editor() -> gr.HTML:
    """Builds the editor inside the open `gr.Blocks`; its value is `page.editor.events`'s."""
    return gr.HTML(
        html_template=(HERE / "editor.html").read_text("utf-8"),
        css_template=(HERE / "editor.css").read_text("utf-8"),
        js_on_load=script(),
        apply_default_css=False,
        elem_id="pose-editor",
        visible="hidden",
    )


def script() -> str:
    """The JavaScript, with the skeleton as its `SKELETON`."""
    parts = [(HERE / name).read_text("utf-8") for name in SCRIPTS]
    return "\n".join([f"const SKELETON = {json.dumps(skeleton_table())};", *parts])


def skeleton_table() -> dict[str, Any]:
    """Colours and limbs, as the pictures have them."""
    return {
        "keypoints": [{"color": css_color(k.color)} for k in KEYPOINTS],
        "limbs": [[limb.start, limb.end, css_color(limb.color)] for limb in LIMBS if limb.drawn],
    }


def css_color(color: tuple[int, int, int]) -> str:
    return "rgb({}, {}, {})".format(*color)


@cache
def editor_texts(language: str) -> dict[str, Any]:
    """The editor's texts in a language."""
    words = {word: say(f"edit_{word}", language) for word in WORDS}
    return {**words, "names": [keypoint_name(k, language) for k in range(NUM_KEYPOINTS)]}
