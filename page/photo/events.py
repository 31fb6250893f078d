"""The photo tab: what happens, one method an event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from page.components import download_progress, photo_name, sentence
from page.editor.events import CorrectEvents
from page.editor.training_set import TrainingSet
from page.events import DRAWING, LIVE, MODEL_QUEUE, PRIVATE, QUIET, Updates, Values
from page.i18n.labels import language_of, say
from page.models import Models
from page.photo.arrival import arrive, remember
from page.photo.canvas import Shown, looks_at, shows
from page.photo.download_menu import DownloadEvents
from page.photo.field_events import FieldEvents
from page.photo.how_it_works import steps_html
from page.photo.layout import PhotoTab
from page.photo.own_weights import OwnEvents
from page.photo.session import Session, decode_again, start_session, with_second
from page.photo.status import Remarks, status
from page.photo.views import COMPARE
from page.photo.weights_menu import WeightsEvents
from pose import UserError, load_image


class PhotoEvents:
    """Connects the tab's components with what they do."""

    def __init__(self, tab: PhotoTab, models: Models, kept: TrainingSet | None = None) -> None:
        self.tab = tab
        self.models = models
        self.weights = WeightsEvents(tab.controls.weights, models)
        self.viewing, self.view = looks_at(tab), shows(tab)
        self.editing = CorrectEvents(tab, kept, self.failed, self.viewing, self.view)

    def connect(self, demo: gr.Blocks, tabs: gr.Tabs) -> None:
        tab, rail, canvas = self.tab, self.tab.rail, self.tab.canvas
        controls, below = tab.controls, tab.below
        network: dict[str, Any] = {
            "inputs": self.viewing,
            "show_progress_on": list(canvas.pictures),
            **MODEL_QUEUE,
            **PRIVATE,
        }
        run = {
            **network,
            "fn": self.run,
            "inputs": {rail.photo, *self.viewing},
            "outputs": [*self.view, tab.ran, tab.refused],
        }
        compare = {**network, "fn": self.run_second, "outputs": [*self.view, tab.ran]}
        settle = {"inputs": {*self.viewing, tab.ran}, "outputs": self.view, **DRAWING}
        opened = self.weights.connect(demo, below.own.kept)
        arrive(opened, tab, tabs)
        for event in (
            rail.run.click(**run),
            rail.photo.change(**{**run, "fn": self.run_new, "trigger_mode": "always_last"}),
        ):
            settled = event.success(self.settle, **settle)
            self.explained(self.editing.after_run(settled))

        # An event of its own: one that may leave the photo as it is would have Gradio make the
        # component anew, without what `photo_input` changes.
        tab.refused.change(self.restore, [tab.session], [rail.photo], **QUIET)
        rail.pick.upload(lambda path: path, [rail.pick], [rail.photo], **QUIET)

        sliders, decode = below.thresholds.all, {"fn": self.decode, **DRAWING}
        decode |= {"inputs": self.viewing, "outputs": self.view}
        pair = [sliders["min_score"], sliders["peak_threshold"]]
        sure = controls.sure.input(below.thresholds.be_sure, [controls.sure], pair, **LIVE)
        every = [*sliders.values(), controls.sure]
        reset = below.reset.click(lambda: [s.value for s in every], None, every, **PRIVATE)
        # Once all have moved: on `change` each would decode with the others' old values.
        by_hand = gr.on([slider.input for slider in sliders.values()], **decode)
        for event in (by_hand, sure.then(**decode), reset.then(**decode)):
            self.explained(event.then(**{**decode, "fn": self.catch_up}))

        drawn = (*controls.drawing.all, *controls.fields.inputs)
        drawn += (controls.side, controls.size, controls.mode)
        gr.on([c.input for c in drawn], self.draw, self.viewing, self.view, **DRAWING)
        viewed = canvas.views.input(self.draw, self.viewing, self.view, **DRAWING)
        for event in (viewed.then(**compare), controls.weights.b.input(**compare)):
            event.success(self.settle_second, **settle)
        asked = (rail.preset, controls.weights.a, controls.weights.b)
        gr.on([c.change for c in asked], self.mark, self.viewing, [canvas.status], **LIVE)
        picked = FieldEvents(tab).connect(self.viewing)
        picked.then(self.draw, self.viewing, self.view, **DRAWING)
        for event in self.editing.connect():
            self.explained(event)
        remember(tab, tabs)
        DownloadEvents(tab, self.failed).connect(self.viewing)
        OwnEvents(
            below.own, self.models, self.weights, self.failed, self.viewing, canvas.status
        ).connect()

    def explained(self, event: Any) -> None:
        """After a result the steps are drawn again."""
        event.then(self.explain, [self.tab.session], [self.tab.below.steps], **QUIET)

    def run(
        self,
        values: Values,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
    ) -> Updates:
        """Photo → people. A mistake leaves everything as it was."""
        language, rail = language_of(request), self.tab.rail
        menu = self.tab.controls.weights
        path = values[rail.photo]
        try:
            photo = load_image(path) if path else None
        except UserError as error:
            return {**self.failed(values, error, language), self.tab.refused: path}
        try:
            if photo is None:
                raise UserError(say("no_photo", language))
            self.models.fetch(values[menu.a], download_progress(progress))
            session = start_session(
                self.models,
                photo,
                photo_name(path),
                (values[menu.a] or "", ""),
                values[rail.preset],
                self.tab.below.thresholds.settings(values),
                stages=True,
            )
        except UserError as error:
            return self.failed(values, error, language)
        before = self.session_of(values)
        if before:
            session = replace(session, edits=before.edits, runs=before.runs)
        session = replace(session, path=path)
        return self.compared(session, values, language, progress)

    def run_new(
        self,
        values: Values,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
    ) -> Updates:
        """A photo came by upload, camera, clipboard or as an example; nothing where it went."""
        session, path = self.session_of(values), values[self.tab.rail.photo]
        if not path or (session and session.path == path):
            return gr.skip()
        return self.run(values, request, progress)

    def restore(self, session: Session | None) -> str | None:
        """The photo before one that cannot be read."""
        return session.path if session else None

    def run_second(
        self,
        values: Values,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
    ) -> Updates:
        """The view or B has changed: B runs if it is looked at and has not run."""
        session = self.session_of(values)
        b = values[self.tab.controls.weights.b]
        if session is None or values[self.tab.canvas.views] != COMPARE:
            return gr.skip()
        if (session.b and session.b.key == b) or b == session.a.key:
            return gr.skip()
        return self.compared(replace(session, b=None), values, language_of(request), progress)

    def compared(
        self, session: Session, values: Values, language: str, progress: gr.Progress
    ) -> Updates:
        """The session with B, if it is looked at; without it and a sentence if B fails."""
        b = values[self.tab.controls.weights.b]
        session = replace(session, problem="", runs=session.runs + 1)
        if values[self.tab.canvas.views] == COMPARE and b and b != session.a.key:
            try:
                self.models.fetch(b, download_progress(progress))
                session = with_second(self.models, session, b)
            except UserError as error:
                problem = say("b_failed", language, reason=sentence(error))
                session = replace(session, problem=problem)
        return {**Shown(self.tab, session, values, language).updates(), self.tab.ran: session}

    def failed(self, values: Values, error: UserError, language: str) -> Updates:
        """Everything stays, and the status line says what was wrong."""
        session, canvas = self.session_of(values), self.tab.canvas
        if session is None:
            return {canvas.status: status(None, language, Remarks(problem=sentence(error)))}
        shown = Shown(self.tab, session, values, language, sentence(error))
        return {canvas.status: shown.status()}

    def session_of(self, values: Values) -> Session | None:
        session: Session | None = values[self.tab.session]
        return session

    def decode(self, values: Values, request: gr.Request) -> Updates:
        """A threshold moved: the same maps, other people; the network does not run."""
        session, language = self.session_of(values), language_of(request)
        if session is None:
            return gr.skip()
        try:
            settings = self.tab.below.thresholds.settings(values)
        except UserError as error:
            return self.failed(values, error, language)
        return Shown(self.tab, decode_again(session, settings), values, language).updates()

    def moved(self, values: Values, session: Session) -> bool:
        """Whether a threshold is no longer the session's, or cannot be used."""
        try:
            return self.tab.below.thresholds.settings(values) != session.settings
        except UserError:
            return True

    def catch_up(self, values: Values, request: gr.Request) -> Updates:
        """A slider that has only just appeared may have sent its old value: decodes again."""
        session = self.session_of(values)
        again = session is not None and self.moved(values, session)
        return self.decode(values, request) if again else gr.skip()

    def settle(self, values: Values, request: gr.Request) -> Updates:
        """After a run: what was moved while the network ran is applied.

        What was moved just before its end may have brought back the session of before.
        """
        session, ran = self.session_of(values), values[self.tab.ran]
        if session is None:
            return gr.skip()
        session = ran if ran.runs > session.runs else session
        values = {**values, self.tab.session: session}
        moved = self.moved(values, session)
        return self.decode(values, request) if moved else self.draw(values, request)

    def settle_second(self, values: Values, request: gr.Request) -> Updates:
        """The same after B may have run."""
        compared = values[self.tab.canvas.views] == COMPARE
        return self.settle(values, request) if compared else gr.skip()

    def draw(self, values: Values, request: gr.Request) -> Updates:
        """A view, or a control of the drawing: the same people, another picture."""
        session = self.session_of(values)
        if session is None:
            return gr.skip()
        return Shown(self.tab, session, values, language_of(request)).updates()

    def mark(self, values: Values, request: gr.Request) -> Updates:
        """A setting of the network changed: the result is of earlier settings, or no longer."""
        session = self.session_of(values)
        if session is None:
            return gr.skip()
        shown = Shown(self.tab, session, values, language_of(request))
        return {self.tab.canvas.status: shown.status()}

    def explain(self, session: Session | None, request: gr.Request) -> str | dict[str, Any]:
        """How it works, on this photo."""
        return gr.skip() if session is None else steps_html(session, language_of(request))
