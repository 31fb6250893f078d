"""Options that Gradio's events share."""

from __future__ import annotations

from typing import Any, TypeAlias

from gradio.blocks import Block
from gradio.components import Component

MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Every event that runs a network waits in one queue."""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {**PRIVATE, "show_progress": "hidden"}
LIVE: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}

DRAWING: dict[str, Any] = {**LIVE, "concurrency_id": "drawing", "concurrency_limit": 1}
"""What changes the canvas goes in order: of two at once the older one could come last."""

Values: TypeAlias = dict[Component, Any]
"""The values of an event's inputs by component, which Gradio passes when `inputs` is a set."""

Updates: TypeAlias = dict[Block, Any]
"""What an event changes; components that are left out stay as they are. Not empty: for no change
at all return `gr.skip()`."""
