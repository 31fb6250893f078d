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
from page.workspace import workspace  # before Gradio

# isort: split
from page.serving.hosting import GIVEN_PORT, ZERO_GPU  # before Gradio and torch

# isort: split
import gradio as gr

from page.api import api_endpoints
from page.editor.training_set import TrainingSet
from page.i18n.labels import label
from page.models import Models
from page.photo.events import PhotoEvents
from page.photo.ground_truth import GroundTruth
from page.photo.layout import photo_tab
from page.serving.freed_memory import return_freed_memory
from page.serving.server import chosen_port, launch_options, leave, stop_event
from page.serving.warm_up import warm_up
from page.tabs.code import CodeTab
from page.tabs.many import ManyTab
from page.tabs.video.tab import VideoTab
from page.tabs.webcam import WebcamTab
from pose import UserError

QUEUE_SIZE = 20
"""Waiting visitors before new ones are asked to come back later."""

CACHE_SECONDS = 3600
"""Visitors' files older than this are deleted; checked as often."""


def build(models: Models, kept: TrainingSet | None = None) -> gr.Blocks:
    """The whole page.

    Args:
        kept: where corrected photos are collected; without it each visitor has a ZIP of them.

    Raises:
        UserError: the folder for visitors' files cannot be made.
    """
    workspace()
    with gr.Blocks(title="See the pose", delete_cache=(CACHE_SECONDS, CACHE_SECONDS)) as demo:
        gr.Markdown(label("heading"), elem_id="heading")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab(label("tab_photo"), id="photo"):
                photo = photo_tab(models)
            with gr.Tab(label("tab_many"), id="many"):
                ManyTab(models).connect(demo)
            with gr.Tab(label("tab_video"), id="video"):
                VideoTab(models).connect(demo)
            with gr.Tab(label("tab_webcam"), id="webcam"):
                WebcamTab(models).connect(photo.rail.photo, tabs)
            with gr.Tab(label("tab_code"), id="code"):
                CodeTab().connect(demo)
        PhotoEvents(photo, models, kept).connect(demo, tabs)
        api_endpoints(models)
    return demo.queue(max_size=QUEUE_SIZE)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Serves the page.")
    add = parser.add_argument
    add("--host", default=None, help="address to listen on (default 127.0.0.1; 0.0.0.0 for all)")
    add("--port", type=int, help="default GRADIO_SERVER_PORT, or 7860")
    add("--share", action="store_true", help="also serve it at a public address for a week")
    add("--weights-dir", type=Path, metavar="DIR", help="folder of training runs (default runs)")
    add("--annotations", type=Path, metavar="JSON", help="COCO keypoint annotations of photos")
    add("--collect", type=Path, metavar="DIR", help="keep corrected photos here, to train on")
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
            # Imported here: it imports PyTorch, which takes seconds.
            from pose.engines.device import pick_device

            pick_device("cuda")
        ground_truth = GroundTruth(options.annotations) if options.annotations else None
        kept = TrainingSet(options.collect) if options.collect else None
        if kept:
            kept.check()
        models = Models(options.device, options.weights_dir, ground_truth)
        if ZERO_GPU:
            models.load_default()
        demo = build(models, kept)
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
