"""The page: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Before Gradio is imported: it would otherwise look up its newest version and report its use.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from page.api import api_endpoints
from page.labels import label
from page.models import Models
from page.photo_events import PhotoEvents
from page.photo_layout import photo_tab
from page.server import chosen_port, launch_options
from pose import UserError

QUEUE_SIZE = 20
"""Waiting visitors before new ones are told to come back."""

CACHE_SECONDS = 3600
"""Files of visitors older than this are deleted, looked for as often."""


def build(models: Models) -> gr.Blocks:
    """The whole page."""
    with gr.Blocks(title="See the pose", delete_cache=(CACHE_SECONDS, CACHE_SECONDS)) as demo:
        with gr.Column(elem_id="heading"):
            gr.Markdown(label("title_h1"))
            gr.Markdown(label("lead"))
        tab = photo_tab(models)
        PhotoEvents(tab, models).connect(demo)
        api_endpoints(models)
    return demo.queue(max_size=QUEUE_SIZE)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Serves the page.")
    add = parser.add_argument
    add("--host", default=None, help="address to listen on (default 127.0.0.1; 0.0.0.0 for all)")
    add("--port", type=int, help="default GRADIO_SERVER_PORT, or 7860")
    add("--share", action="store_true", help="also serve it at a public address for a week")
    add("--weights-dir", type=Path, metavar="DIR", help="folder of training runs (default runs)")
    add("--device", default="auto", choices=("auto", "cpu", "cuda"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until it is interrupted; 2 where it cannot."""
    options = make_parser().parse_args(arguments)
    try:
        host = options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
        port = chosen_port(host, options.port)
        demo = build(Models(options.device, options.weights_dir))
        demo.launch(server_name=host, server_port=port, share=options.share, **launch_options())
    except UserError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
