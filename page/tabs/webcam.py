"""The tab for the camera: skeletons on the newest frame, older ones are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import gradio as gr
import numpy as np

from page.components import crisp, live_picture, toast
from page.events import PRIVATE, QUIET
from page.i18n.labels import label, language_of, say
from page.images import reduced
from page.models import Job, Models
from page.photo.status import people_count, seconds
from page.tabs.controls import lines
from pose import UserError
from pose.drawing.settings import DrawSettings
from pose.drawing.skeletons import draw_people
from pose.motion.live import LivePeople

PRESET = "fast"
FRAME_SIDE = 640
VIEW_HEIGHT = 500
TIME_LIMIT = 120
"""Seconds after which a stream ends, so that nobody holds the network for good."""

STREAM_EVERY = 0.1
"""Seconds between frames that the browser sends; Gradio keeps only the newest while busy."""

RATE_FRAMES = 10
"""Newest frames over which the frame rate is measured."""

LONGEST_PAUSE = 3.0
"""Seconds without a frame after which the measurement and the ids start again."""


NUMBERED = DrawSettings(ids=True)


@dataclass(frozen=True)
class Live:
    """What is kept of a visitor's stream.

    Attributes:
        picture: the newest frame, RGB uint8 (H, W, 3), not mirrored.
        people: those followed so far.
        times: when the newest frames were answered, in seconds.
    """

    picture: np.ndarray
    people: LivePeople
    times: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Frames per second; 0 before the second frame."""
        span = self.times[-1] - self.times[0]
        return (len(self.times) - 1) / span if span > 0 else 0.0


class WebcamTab:
    """Live skeletons with the first weights and the preset fast.

    One view: the camera's until the first answer, then only its button stays (`style.py`). It is
    mirrored there and nowhere else, so that right stays right for the network.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        gr.Markdown(label("webcam_hint"), elem_classes="hint")
        with gr.Column(elem_id="webcam-view"):
            self.picture = live_picture(
                label=label("webcam_out"),
                streaming=True,
                elem_id="webcam-out",
                height=VIEW_HEIGHT,
                buttons=["fullscreen"],
            )
            self.camera = gr.Image(
                label=label("webcam_in"),
                sources=["webcam"],
                streaming=True,
                type="numpy",
                elem_id="webcam-in",
                height=VIEW_HEIGHT,
                webcam_options=gr.WebcamOptions(mirror=False),
            )
        with gr.Row():
            self.status = gr.HTML(elem_id="webcam-status")
            self.snapshot = gr.Button(
                label("webcam_snapshot"), elem_id="webcam-snapshot", visible=False
            )
        self.live = gr.State(time_to_live=3600)

    def connect(self, photo: gr.Image, tabs: gr.Tabs) -> None:
        self.camera.stream(
            self.frame,
            [self.camera, self.live],
            [self.picture, self.live, self.status, self.snapshot],
            time_limit=TIME_LIMIT,
            stream_every=STREAM_EVERY,
            show_progress="hidden",
            concurrency_id="webcam",
            concurrency_limit=1,
            **PRIVATE,
        )
        # The photo tab runs a new photo by itself.
        self.snapshot.click(self.take, [self.live], [photo, tabs], **QUIET)

    def frame(
        self, request: gr.Request, picture: np.ndarray | None, live: Live | None
    ) -> list[Any]:
        """One frame's skeletons."""
        if picture is None:
            return [gr.skip()] * 4
        photo = reduced(picture, FRAME_SIDE)
        try:
            weights, _ = self.models.default_pair()
            result = self.models.estimate(Job(photo, weights, PRESET))
        except UserError as error:
            raise toast(error) from None
        now = monotonic()
        if live is None or now - live.times[-1] > LONGEST_PAUSE:
            live = Live(picture, LivePeople(), ())
        people, ids = live.people.update(result.people, now)
        live = Live(picture, live.people, (*live.times, now)[-RATE_FRAMES:])
        language = language_of(request)
        parts = [people_count(len(people), language)]
        if live.rate:
            parts.append(say("webcam_rate", language, rate=f"{live.rate:.1f}"))
        parts.append(seconds(result.timings.total))
        return [
            draw_people(photo, people, NUMBERED, ids=ids),
            live,
            lines(" · ".join(parts)),
            gr.update(visible=True),
        ]

    def take(self, live: Live | None) -> list[Any]:
        """The newest frame as the photo tab's photo."""
        if live is None:
            return [gr.skip(), gr.skip()]
        return [crisp(live.picture, "webcam.jpg"), gr.Tabs(selected="photo")]
