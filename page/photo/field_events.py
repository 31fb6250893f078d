"""Heatmaps and PAFs: the stages played, and a click on a keypoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from page.components import crisp
from page.events import PRIVATE, QUIET, Updates, Values
from page.i18n.labels import language_of
from page.photo.canvas import Shown
from page.photo.field_controls import channel_choices
from page.photo.layout import PhotoTab
from page.photo.pictures import STAGES
from page.photo.session import Session, Side
from page.photo.views import HEATMAP, SKELETONS
from pose.skeleton import KEYPOINTS

STAGE_SECONDS = 0.7
"""How long each stage is shown while they play."""


class FieldEvents:
    """Connects the button and the pictures."""

    def __init__(self, tab: PhotoTab) -> None:
        self.tab = tab

    def connect(self, viewing: set[Any]) -> Any:
        """Connects them; returns the event after which the canvas has to be drawn."""
        canvas, controls = self.tab.canvas, self.tab.controls
        played = [controls.fields.stage, canvas.field_map]
        controls.fields.play.click(self.play, viewing, played, **QUIET)
        return gr.on(
            [canvas.skeleton.select, canvas.field_map.select],
            self.pick,
            [self.tab.session, canvas.views, controls.side],
            [canvas.views, controls.fields.channel],
            **PRIVATE,
        )

    def play(self, values: Values, request: gr.Request) -> Iterator[Updates]:
        """Stages 1 to 6, one after the other."""
        fields, session = self.tab.controls.fields, values[self.tab.session]
        if session is None:
            yield gr.skip()
            return
        for stage in range(1, STAGES + 1):
            start = time.monotonic()
            shown = Shown(self.tab, session, {**values, fields.stage: stage}, language_of(request))
            yield {fields.stage: stage, self.tab.canvas.field_map: crisp(shown.layer().picture)}
            time.sleep(max(0.0, STAGE_SECONDS - (time.monotonic() - start)))

    def pick(self, session: Session | None, view: str, side: str, event: gr.SelectData) -> Updates:
        """A click on a keypoint shows its heatmap."""
        if session is None or view not in (SKELETONS, HEATMAP):
            return gr.skip()
        looked_at = session.b if side == "B" and session.b else session.a
        nearest = nearest_keypoint(session, looked_at, event.index)
        if nearest is None:
            return gr.skip()
        channel = gr.update(choices=channel_choices(HEATMAP), value=KEYPOINTS[nearest].name)
        return {self.tab.canvas.views: HEATMAP, self.tab.controls.fields.channel: channel}


def nearest_keypoint(session: Session, side: Side, position: tuple[int, int]) -> int | None:
    """The keypoint of a side nearest to a click in pixels shown; None without people."""
    people = side.result.people
    if not people:
        return None
    keypoints = np.stack([person.keypoints for person in people])[:, :, :2]
    distance = np.linalg.norm(keypoints - np.asarray(position, float) / session.scale, axis=2)
    distance[np.isnan(distance)] = np.inf
    return int(np.unravel_index(distance.argmin(), distance.shape)[1])
