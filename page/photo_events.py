"""The photo tab: what happens, one method an event."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from page.components import crisp, download_progress, photo_name, toast
from page.facts import facts
from page.labels import label, language_of, say
from page.models import NO_WEIGHTS, Models
from page.own_weights import OwnEvents
from page.photo_layout import DEFAULTS, EVERYONE, PhotoTab, channel_choices, weights_choices
from page.pictures import HEATMAP, field_pictures, overlay_pair
from page.session import Session, decode_again, scaled, start_session
from page.strip import strip
from page.tables import COLUMNS, people_rows
from page.takeaway import write_files
from page.words import status, weights_note
from page.workspace import remove_folder
from pose import DecodeSettings, UserError, load_image
from pose.field_figures import ALL_JOINTS, ALL_LIMBS
from pose.render import DrawSettings, draw_people
from pose.skeleton import KEYPOINTS

MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Every event that runs a network waits in one line."""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
LIVE: dict[str, Any] = {**PRIVATE, "trigger_mode": "always_last", "show_progress": "hidden"}

THRESHOLDS = 5
"""How many of an event's values are thresholds; the drawing's follow."""


class PhotoEvents:
    """Connects the tab's components with what they do."""

    def __init__(self, tab: PhotoTab, models: Models) -> None:
        self.tab = tab
        self.models = models
        self.looks = [*tab.thresholds, *tab.drawing, tab.table_of]
        self.answer = [
            tab.session,
            tab.status,
            tab.skeleton,
            tab.comparison,
            tab.column_a,
            tab.column_b,
            tab.column_truth,
            tab.facts,
            tab.drawing[0],
            tab.table_of,
            tab.table,
        ]
        self.field_inputs = [tab.session, tab.kind, tab.channel, tab.stage]
        self.field_outputs = [tab.field_a, tab.field_b]
        self.folder = gr.State(delete_callback=remove_folder, time_to_live=3600)

    def connect(self, demo: gr.Blocks) -> None:
        tab = self.tab
        running = [tab.photo, tab.weights_a, tab.weights_b, tab.preset, *self.looks]
        run: dict[str, Any] = {
            "fn": self.run,
            "inputs": running,
            "outputs": self.answer,
            "show_progress_on": [tab.status, tab.skeleton],
            **MODEL_QUEUE,
            **PRIVATE,
        }
        pair = [tab.weights_a, tab.weights_b]
        # A run that finished since the server started is there after a reload.
        filled = demo.load(self.fill, None, pair, show_progress="hidden", **PRIVATE)
        for event in (
            filled.then(**run),
            tab.run.click(**run, scroll_to_output=True),
            tab.examples.load_input_event.then(**run),
        ):
            settled = event.success(self.settle, [tab.session, *self.looks], self.answer, **LIVE)
            self.follow(settled.then(self.fields, self.field_inputs, self.field_outputs, **PRIVATE))

        moved = [slider.change for slider in tab.thresholds]
        self.follow(gr.on(moved, self.decode, [tab.session, *self.looks], self.answer, **LIVE))
        tab.reset.click(self.reset, None, tab.thresholds, **PRIVATE)
        drawn = [component.input for component in (*tab.drawing, tab.table_of)]
        self.follow(gr.on(drawn, self.draw, [tab.session, *self.looks], self.answer, **LIVE))

        tab.kind.input(self.choose_kind, [tab.kind], [tab.channel], **PRIVATE).then(
            self.fields, self.field_inputs, self.field_outputs, **LIVE
        )
        for component in (tab.channel, tab.stage):
            self.write(component.input(self.fields, self.field_inputs, self.field_outputs, **LIVE))
        self.write(
            tab.skeleton.select(
                self.pick_joint, [tab.session], [tab.kind, tab.channel], **PRIVATE
            ).then(self.fields, self.field_inputs, self.field_outputs, **LIVE)
        )
        tab.refresh.click(self.refresh, [tab.own.kept, *pair], pair, **PRIVATE)
        OwnEvents(tab.own, self.models, self.refresh).connect(*pair, **MODEL_QUEUE, **PRIVATE)
        for trigger in (filled.then, tab.weights_a.change, tab.weights_b.change):
            trigger(self.about, pair, [tab.weights_note], show_progress="hidden", **PRIVATE)

    def follow(self, event: Any) -> None:
        """After an answer the strip is drawn and the files are written anew."""
        quiet: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
        self.write(event.then(self.strip, [self.tab.session], [self.tab.strip], **quiet))

    def write(self, event: Any) -> None:
        event.then(
            self.files,
            [self.folder, *self.field_inputs, *self.looks],
            [self.folder, self.tab.downloads],
            show_progress="hidden",
            **PRIVATE,
        )

    def run(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
        path: str | None = None,
        weights_a: str = "",
        weights_b: str = "",
        preset: str = "",
        *looks: Any,
    ) -> list[Any]:
        """The button: photo → people. Gradio fills in the first two, the page the others."""
        language = language_of(request)
        if not path:
            raise gr.Error(say("no_photo", language), print_exception=False)
        try:
            for name in filter(None, (weights_a, weights_b)):
                self.models.fetch(name, download_progress(progress))
            session = start_session(
                self.models,
                load_image(path),
                photo_name(path),
                (weights_a, weights_b),
                preset,
                settings_of(*looks[:THRESHOLDS]),
            )
        except UserError as error:
            raise toast(error) from None
        return self.shown(session, looks, language)

    def decode(self, session: Session | None, *looks: Any, request: gr.Request = None) -> list[Any]:
        """A threshold moved: the same maps, other people; the network does not run."""
        if session is None:
            return [gr.skip()] * len(self.answer)
        try:
            settings = settings_of(*looks[:THRESHOLDS])
        except UserError as error:
            raise toast(error) from None
        return self.shown(decode_again(session, settings), looks, language_of(request))

    def settle(self, session: Session | None, *looks: Any, request: gr.Request = None) -> list[Any]:
        """After a run: thresholds that were moved while the network ran are taken over."""
        try:
            moved = session is not None and settings_of(*looks[:THRESHOLDS]) != session.settings
        except UserError as error:
            raise toast(error) from None
        if not moved:
            return [gr.skip()] * len(self.answer)
        return self.decode(session, *looks, request=request)

    def draw(self, request: gr.Request, session: Session | None, *looks: Any) -> list[Any]:
        """A switch of the drawing: the same people, another picture."""
        if session is None:
            return [gr.skip()] * len(self.answer)
        return self.shown(session, looks, language_of(request))

    def shown(self, session: Session, looks: tuple[Any, ...], language: str) -> list[Any]:
        """The values of `self.answer`."""
        drawing = drawing_of(*looks[THRESHOLDS:-1])
        table_of = looks[-1] if session.b else "A"
        left, right = (crisp(picture) for picture in overlay_pair(session, drawing))
        first = right if session.b is None else left
        side = session.b if session.b and table_of == "B" else session.a
        return [
            session,
            status(session, language),
            first,
            (left, right),
            gr.update(value=left, label=label("photo") if session.b is None else "A"),
            gr.update(value=right, label="A" if session.b is None else "B"),
            truth_picture(session, drawing),
            facts(session, language),
            self.people_choices(session, drawing),
            gr.update(value=table_of, visible=session.b is not None),
            {
                "headers": [say(f"col_{name}", language) for name in COLUMNS],
                "data": people_rows(side.people, language, drawing.highlight),
            },
        ]

    def people_choices(self, session: Session, drawing: DrawSettings) -> Any:
        """Everyone, or one person by number."""
        most = max(len(side.people) for side in session.sides)
        chosen = drawing.highlight if drawing.highlight in range(most) else EVERYONE
        choices = [(label("everyone"), EVERYONE), *((str(i + 1), i) for i in range(most))]
        return gr.update(choices=choices, value=chosen)

    def strip(self, request: gr.Request, session: Session | None) -> Any:
        """How it works, on this photo."""
        return gr.skip() if session is None else strip(session, language_of(request))

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

    def files(
        self,
        folder: str | None,
        session: Session | None,
        kind: str,
        channel: str,
        stage: int,
        *looks: Any,
    ) -> list[Any]:
        """The files to take away; those before are deleted, Gradio keeps its own copy of them."""
        if session is None:
            return [gr.skip(), gr.skip()]
        drawing = drawing_of(*looks[THRESHOLDS:-1])
        try:
            paths = write_files(session, drawing, kind, channel, int(stage))
        except UserError as error:
            raise toast(error) from None
        remove_folder(folder)
        return [str(Path(paths[0]).parent), paths]

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
        """The thresholds as they were."""
        return [
            DEFAULTS.peak_threshold,
            DEFAULTS.limb_threshold,
            DEFAULTS.samples_needed,
            DEFAULTS.min_parts,
            DEFAULTS.min_score,
        ]

    def fill(self) -> list[Any]:
        """Reads the catalogue for a page that has just been opened."""
        return self.refresh((), *self.models.default_pair())

    def refresh(self, kept: tuple[str, ...] | None, weights_a: str, weights_b: str) -> list[Any]:
        """Reads the catalogue again; what was chosen stays if it is still there."""
        own = {key: self.models.own[key].card for key in kept or () if key in self.models.own}
        names = [*(card.name for card in self.models.cards()), *own]
        first, second = self.models.default_pair()
        chosen_a = weights_a if weights_a in names else first
        chosen_b = weights_b if weights_b in (NO_WEIGHTS, *names) else second
        return [
            gr.update(choices=weights_choices(self.models, own), value=chosen_a),
            gr.update(choices=weights_choices(self.models, own, optional=True), value=chosen_b),
        ]

    def about(self, request: gr.Request, weights_a: str, weights_b: str) -> str:
        """What is known about the chosen weights, before they are used."""
        chosen = dict.fromkeys(filter(None, (weights_a, weights_b)))
        cards = [card for card in self.models.cards() if card.name in chosen]
        own = [self.models.own[key].card for key in chosen if key in self.models.own]
        return weights_note([*cards, *own], language_of(request))


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


def drawing_of(
    highlight: int | None, palette: str, dim: float, switches: list[str]
) -> DrawSettings:
    """Drawing settings from the controls' values."""
    return DrawSettings(
        face="face" in switches,
        ids="ids" in switches,
        boxes="boxes" in switches,
        black="black" in switches,
        dim=dim,
        highlight=None if highlight in (None, EVERYONE) else int(highlight),
        palette=palette,
    )


def truth_picture(session: Session, drawing: DrawSettings) -> Any:
    """The annotated people on the photo; hidden where they are not known."""
    if session.truth is None:
        return gr.update(value=None, visible=False)
    people = scaled(tuple(t.person for t in session.truth), session.scale)
    picture = draw_people(session.shown, people, replace(drawing, highlight=None))
    return gr.update(value=crisp(picture), visible=True)


def nearest_joint(session: Session, place: tuple[int, int]) -> int | None:
    """The keypoint of side A whose drawn place is nearest to a click, in shown pixels."""
    if not session.a.people:
        return None
    joints = np.stack([person.keypoints for person in session.a.people])[:, :, :2]
    distance = np.linalg.norm(joints - np.asarray(place, float) / session.scale, axis=2)
    distance[np.isnan(distance)] = np.inf
    return int(np.unravel_index(distance.argmin(), distance.shape)[1])
