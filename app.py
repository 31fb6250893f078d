"""The page: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    # Until the server can end in order, Ctrl-C ends it without a traceback of half an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# Before Gradio is imported: it would otherwise look up its newest version and report its use.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# isort: split
import page.lean_gradio  # noqa: F401 - before Gradio
from page.given_port import GIVEN_PORT  # before Gradio
from page.workspace import workspace  # before Gradio

# isort: split
from page.hosting import ZERO_GPU  # before torch

# isort: split
import gradio as gr

from page.api import api_endpoints
from page.code_tab import CodeTab
from page.freed_memory import return_freed_memory
from page.labels import label
from page.many_tab import ManyTab
from page.models import Models
from page.photo_events import PhotoEvents
from page.photo_layout import photo_tab
from page.server import chosen_port, launch_options, leave, stop_event
from page.truth import Truth
from page.video_tab import VideoTab
from page.warm_up import warm_up
from page.webcam_tab import WebcamTab
from pose import UserError

QUEUE_SIZE = 20
"""Waiting visitors before new ones are told to come back."""

CACHE_SECONDS = 3600
"""Files of visitors older than this are deleted, looked for as often."""


def build(models: Models) -> gr.Blocks:
    """The whole page.

    Raises:
        UserError: there is no place for visitors' files.
    """
    workspace()
    with gr.Blocks(title="See the pose", delete_cache=(CACHE_SECONDS, CACHE_SECONDS)) as demo:
        with gr.Column(elem_id="heading"):
            gr.Markdown(label("title_h1"))
            gr.Markdown(label("lead"))
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(label("tab_photo"), id="photo"):
                PhotoEvents(photo_tab(models), models).connect(demo)
            with gr.Tab(label("tab_many"), id="many"):
                ManyTab(models).connect(demo)
            with gr.Tab(label("tab_video"), id="video"):
                VideoTab(models).connect(demo)
            with gr.Tab(label("tab_webcam"), id="webcam") as webcam:
                WebcamTab(models).connect(webcam)
            with gr.Tab(label("tab_code"), id="code"):
                CodeTab().connect(demo)
        api_endpoints(models)
    return demo.queue(max_size=QUEUE_SIZE)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Serves the page.")
    add = parser.add_argument
    add("--host", default=None, help="address to listen on (default 127.0.0.1; 0.0.0.0 for all)")
    add("--port", type=int, help="default GRADIO_SERVER_PORT, or 7860")
    add("--share", action="store_true", help="also serve it at a public address for a week")
    add("--weights-dir", type=Path, metavar="DIR", help="folder of training runs (default runs)")
    add("--annotations", type=Path, metavar="JSON", help="COCO keypoints file: the truth of photos")
    add("--mcp", action="store_true", help="also serve the endpoints as tools of an MCP server")
    add("--device", default="auto", choices=("auto", "cpu", "cuda"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until Ctrl-C or SIGTERM; 2 where it cannot."""
    options = make_parser().parse_args(arguments)
    stopped = stop_event()
    return_freed_memory()
    try:
        host = options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
        port = chosen_port(host, GIVEN_PORT if options.port is None else options.port)
        if options.device == "cuda":
            from pose.engines import pick_device  # PyTorch is waited for only where it must be

            pick_device("cuda")
        truth = Truth(options.annotations) if options.annotations else None
        models = Models(options.device, options.weights_dir, truth)
        if ZERO_GPU:
            models.load_default()
        demo = build(models)
        demo.launch(
            server_name=host,
            server_port=port,
            share=options.share,
            prevent_thread_lock=True,
            **launch_options(options.mcp),
        )
        if not ZERO_GPU:
            threading.Thread(target=warm_up, args=[models], daemon=True, name="warm-up").start()
        stopped.wait()
    except UserError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    leave(main())
