"""The photo tab: what happens, one method an event."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from page.inputs import photo_name, toast
from page.labels import language_of, say
from page.models import Models
from page.photo_layout import (
    DEFAULTS,
    PhotoTab,
    channel_choices,
    weights_choices,
)
from page.pictures import HEATMAP, field_pictures, overlay_pair
from page.session import Session, decode_again, start_session
from page.tables import people_rows
from page.takeaway import write_files
from page.words import status
from pose import DecodeSettings, UserError, load_image
from pose.field_figures import ALL_JOINTS, ALL_LIMBS
from pose.render import DrawSettings
from pose.skeleton import KEYPOINTS

MODEL_QUEUE = {"concurrency_id": "model", "concurrency_limit": 1}
"""Every event that runs a network waits in one line."""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
LIVE: dict[str, Any] = {**PRIVATE, "trigger_mode": "always_last", "show_progress": "hidden"}


class PhotoEvents:
    """Connects the tab's components with what they do."""

    def __init__(self, tab: PhotoTab, models: Models) -> None:
        self.tab = tab
        self.models = models
        self.answer = [
            tab.session,
            tab.status,
            tab.skeleton,
            tab.comparison,
            tab.column_a,
            tab.column_b,
            tab.table,
        ]
        self.field_inputs = [tab.session, tab.kind, tab.channel, tab.stage]
        self.field_outputs = [tab.field_a, tab.field_b]

    def connect(self, demo: gr.Blocks) -> None:
        tab = self.tab
        running = [tab.photo, tab.weights_a, tab.weights_b, tab.preset, *tab.thresholds]
        first = demo.load(self.run, running, self.answer, **MODEL_QUEUE, **PRIVATE)
        pressed = tab.run.click(self.run, running, self.answer, **MODEL_QUEUE, **PRIVATE)
        chosen = tab.examples.load_input_event.then(
            self.run, running, self.answer, **MODEL_QUEUE, **PRIVATE
        )
        for event in (first, pressed, chosen):
            self.write(event.success(self.fields, self.field_inputs, self.field_outputs, **PRIVATE))

        moved = [slider.change for slider in tab.thresholds]
        deciding = gr.on(
            moved, self.decode, [tab.session, *tab.thresholds], self.answer, queue=True, **LIVE
        )
        self.write(deciding)
        tab.reset.click(self.reset, None, tab.thresholds, **PRIVATE)

        tab.kind.input(self.choose_kind, [tab.kind], [tab.channel], **PRIVATE).then(
            self.fields, self.field_inputs, self.field_outputs, **LIVE
        )
        for component in (tab.channel, tab.stage):
            component.input(self.fields, self.field_inputs, self.field_outputs, **LIVE)
        tab.skeleton.select(
            self.pick_joint, [tab.session], [tab.kind, tab.channel], **PRIVATE
        ).then(self.fields, self.field_inputs, self.field_outputs, **LIVE)
        tab.refresh.click(
            self.refresh, [tab.weights_a, tab.weights_b], [tab.weights_a, tab.weights_b], **PRIVATE
        )

    def write(self, event: Any) -> None:
        """After an event the files are written anew."""
        event.then(
            self.files, self.field_inputs, [self.tab.downloads], show_progress="hidden", **PRIVATE
        )

    def run(
        self,
        path: str | None,
        weights_a: str,
        weights_b: str,
        preset: str,
        *thresholds: float,
        request: gr.Request = None,
    ) -> list[Any]:
        """The button: photo → people."""
        language = language_of(request)
        if not path:
            raise gr.Error(say("no_photo", language), print_exception=False)
        try:
            session = start_session(
                self.models,
                load_image(path),
                photo_name(path),
                (weights_a, weights_b),
                preset,
                settings_of(*thresholds),
            )
        except UserError as error:
            raise toast(error) from None
        return self.shown(session, language)

    def decode(
        self, session: Session | None, *thresholds: float, request: gr.Request = None
    ) -> list[Any]:
        """A threshold moved: the same maps, other people; the network does not run."""
        if session is None:
            return [gr.skip()] * len(self.answer)
        try:
            settings = settings_of(*thresholds)
        except UserError as error:
            raise toast(error) from None
        return self.shown(decode_again(session, settings), language_of(request))

    def shown(self, session: Session, language: str) -> list[Any]:
        """The values of `self.answer`."""
        drawing = DrawSettings()
        left, right = overlay_pair(session, drawing)
        first = right if session.b is None else left
        return [
            session,
            status(session, language),
            first,
            (left, right),
            left,
            right,
            people_rows(session.a.people, language),
        ]

    def fields(self, session: Session | None, kind: str, channel: str, stage: int) -> list[Any]:
        """The field maps of A and B."""
        if session is None:
            return [gr.skip(), gr.skip()]
        try:
            pictures = field_pictures(session.photo, session.sides, kind, channel, int(stage))
        except UserError as error:
            raise toast(error) from None
        second = pictures[1] if len(pictures) > 1 else None
        return [pictures[0], gr.update(value=second, visible=second is not None)]

    def files(self, session: Session | None, kind: str, channel: str, stage: int) -> Any:
        """The files to take away."""
        if session is None:
            return gr.skip()
        return write_files(session, DrawSettings(), kind, channel, int(stage))

    def choose_kind(self, kind: str) -> Any:
        """Joints for a heatmap, limbs for a PAF."""
        value = ALL_JOINTS if kind == HEATMAP else ALL_LIMBS
        return gr.update(choices=channel_choices(kind), value=value)

    def pick_joint(self, session: Session | None, event: gr.SelectData) -> list[Any]:
        """A click on the skeletons chooses the heatmap of the nearest joint."""
        joint = nearest_joint(session, event.index) if session else None
        if joint is None:
            return [gr.skip(), gr.skip()]
        return [
            gr.update(value=HEATMAP),
            gr.update(choices=channel_choices(HEATMAP), value=KEYPOINTS[joint].name),
        ]

    def reset(self) -> list[float]:
        return [
            DEFAULTS.peak_threshold,
            DEFAULTS.limb_threshold,
            DEFAULTS.samples_needed,
            DEFAULTS.min_parts,
            DEFAULTS.min_score,
        ]

    def refresh(self, weights_a: str, weights_b: str) -> list[Any]:
        """Reads the catalogue again; what was chosen stays if it is still there."""
        names = [card.name for card in self.models.cards()]
        first, second = self.models.default_pair()
        return [
            gr.update(
                choices=weights_choices(self.models),
                value=weights_a if weights_a in names else first,
            ),
            gr.update(
                choices=weights_choices(self.models, optional=True),
                value=weights_b if weights_b in ("", *names) else second,
            ),
        ]


def settings_of(
    peak_threshold: float,
    limb_threshold: float,
    samples_needed: float,
    min_parts: float,
    min_score: float,
) -> DecodeSettings:
    """Decoder settings from the sliders' values."""
    return DEFAULTS.changed(
        peak_threshold=peak_threshold,
        limb_threshold=limb_threshold,
        samples_needed=int(samples_needed),
        min_parts=int(min_parts),
        min_score=min_score,
    )


def nearest_joint(session: Session, place: tuple[int, int]) -> int | None:
    """The keypoint of side A whose drawn place is nearest to a click, in shown pixels."""
    points = [person.keypoints for person in session.a.people]
    if not points:
        return None
    joints = np.stack(points)[:, :, :2]
    at = np.asarray(place, float) / session.scale
    distance = np.linalg.norm(joints - at, axis=2)
    distance[np.isnan(distance)] = np.inf
    return int(np.unravel_index(distance.argmin(), distance.shape)[1])
