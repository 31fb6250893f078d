"""The Correct view: what the editor and the controls below it do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from page.editor.collect import CollectEvents
from page.editor.training_set import TrainingSet
from page.editor.value import corrected
from page.events import LIVE, QUIET, Updates, Values
from page.i18n.labels import language_of
from page.photo.canvas import Shown
from page.photo.layout import PhotoTab
from pose import UserError


class CorrectEvents:
    """Connects the view.

    Args:
        kept: where the owner keeps photos, with `--collect`; None for a ZIP of each visitor's.
        fail: makes the updates that show a user's mistake.
        viewing: the inputs of what is shown.
        view: the outputs.
    """

    def __init__(
        self,
        tab: PhotoTab,
        kept: TrainingSet | None,
        fail: Callable[[Values, UserError, str], Updates],
        viewing: set[Any],
        view: list[Any],
    ) -> None:
        self.tab = tab
        self.fail = fail
        self.viewing = viewing
        self.view = view
        self.collect = CollectEvents(tab.controls.collect, tab.canvas.board, tab.session, kept)

    def connect(self) -> list[Any]:
        """Returns the events after which other people are shown."""
        board = self.tab.canvas.board
        seen = [component for component in self.view if component is not board]
        edited = board.input(self.correct, {board, *self.viewing}, seen, **LIVE)
        return [edited, *map(self.after_run, self.collect.connect(self.tab.rail.photo))]

    def after_run(self, event: Any) -> Any:
        """Adds: where the photo was chosen for its annotations, these are shown."""
        controls = self.tab.controls.collect
        return event.then(
            self.show_annotated,
            {controls.loaded, controls.wanted, *self.viewing},
            [controls.wanted, controls.line, *self.view],
            **QUIET,
        )

    def correct(self, values: Values, request: gr.Request) -> Updates:
        """The editor changed the people: everything else follows."""
        language, board = language_of(request), self.tab.canvas.board
        try:
            session = corrected(values[self.tab.session], values[board])
        except UserError as error:
            return self.fail(values, error, language)
        if session is None:
            return gr.skip()
        updates = Shown(self.tab, session, values, language).updates()
        del updates[board]  # it is ahead of what it sent
        return updates

    def show_annotated(self, values: Values, request: gr.Request) -> Updates:
        """The loaded annotations of the photo replace what the network found."""
        language = language_of(request)
        try:
            annotated = self.collect.annotated(values, language)
        except UserError as error:
            return self.fail(values, error, language)
        if annotated is None:
            return gr.skip()
        session, line = annotated
        controls = self.tab.controls.collect
        updates = Shown(self.tab, session, values, language).updates()
        return {**updates, controls.line: line, controls.wanted: (session.file_name, session.runs)}
