"""The tab for the camera: skeletons on the newest frame, older ones are dropped."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from page.components import toast
from page.controls import lines
from page.labels import label, language_of
from page.models import Job, Models
from page.photo_events import MODEL_QUEUE, PRIVATE
from page.photo_layout import EXAMPLES_DIR
from page.session import reduced
from page.words import people_count, seconds
from pose import UserError, load_image
from pose.render import draw_people

PRESET = "fast"
EXAMPLE = EXAMPLES_DIR / "photographer.jpg"
FRAME_SIDE = 640
TIME_LIMIT = 120
"""Seconds after which a stream ends, so that nobody holds the network for good."""

STREAM_EVERY = 0.1
"""Seconds between frames that the browser sends; Gradio keeps only the newest while busy."""


class WebcamTab:
    """Live skeletons with the first weights and the preset fast."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.example: np.ndarray | None = None
        gr.Markdown(label("webcam_hint"), elem_classes="hint")
        with gr.Row():
            self.camera = gr.Image(
                label=label("webcam_in"),
                sources=["webcam"],
                streaming=True,
                type="numpy",
                elem_id="webcam-in",
                height=420,
                webcam_options=gr.WebcamOptions(mirror=True),
            )
            self.live = gr.Image(
                label=label("webcam_out"),
                streaming=True,
                interactive=False,
                format="jpeg",
                elem_id="webcam-out",
                height=420,
                buttons=["fullscreen"],
            )
        self.status = gr.HTML(elem_id="webcam-status")

    def connect(self, tab: gr.Tab) -> None:
        tab.select(self.before, None, [self.live], show_progress="hidden", **MODEL_QUEUE, **PRIVATE)
        self.camera.stream(
            self.frame,
            [self.camera],
            [self.live, self.status],
            time_limit=TIME_LIMIT,
            stream_every=STREAM_EVERY,
            show_progress="hidden",
            concurrency_id="webcam",
            concurrency_limit=1,
            **PRIVATE,
        )

    def before(self) -> np.ndarray:
        """What is there until the camera is: an example, computed once."""
        if self.example is None:
            photo = load_image(EXAMPLE)
            weights, _ = self.models.default_pair()
            people = self.models.look(Job(photo, weights, PRESET, stages=False)).people
            self.example = draw_people(photo, people)
        return self.example

    def frame(self, request: gr.Request, picture: np.ndarray | None) -> list[Any]:
        """One frame's skeletons."""
        if picture is None:
            return [gr.skip(), gr.skip()]
        photo = reduced(picture, FRAME_SIDE)
        try:
            weights, _ = self.models.default_pair()
            result = self.models.look(Job(photo, weights, PRESET, stages=False))
        except UserError as error:
            raise toast(error) from None
        text = people_count(len(result.people), language_of(request))
        return [
            draw_people(photo, result.people),
            lines(f"{text} · {seconds(result.timings.total)}"),
        ]
