"""Below the editor: add the photo to a training set, and load annotations to correct."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from page.components import photo_name, toast
from page.editor.loaded import Loaded, annotated_people, load_annotations
from page.editor.training_set import TrainingSet
from page.editor.value import corrected
from page.events import PRIVATE, Updates, Values
from page.i18n.labels import label, language_of, say
from page.photo.session import Session, correct
from page.photo.status import people_count
from page.workspace import new_folder, remove_folder
from pose import UserError
from pose.files import write_bytes

KEPT_SECONDS = 3600
"""How long a visitor's photos are kept without `--collect`."""

ZIP = "training-set.zip"


def remove_loaded(loaded: Loaded | None) -> None:
    """Deletes the photos that came with annotations."""
    if loaded is not None:
        remove_folder(loaded.folder)


@dataclass(frozen=True)
class CollectControls:
    """The components.

    Attributes:
        folder: a visitor's own set.
        loaded: the annotations that were loaded.
        wanted: name of the photo whose annotations are to be shown, and for which of the network's
            runs they have been.
    """

    add: gr.Button
    load: gr.UploadButton
    photos: gr.Dropdown
    line: gr.HTML
    archive: gr.File
    folder: gr.State
    loaded: gr.State
    wanted: gr.State


def collect_controls() -> CollectControls:
    """Builds them inside the open `gr.Blocks`."""
    gr.Markdown(label("collect_heading"))
    gr.Markdown(label("collect_hint"), elem_classes="hint")
    with gr.Row():
        add = gr.Button(label("collect_add"), variant="primary", elem_id="collect-add")
        load = gr.UploadButton(
            str(label("collect_load")), type="filepath", elem_id="collect-load", file_count="single"
        )
    line = gr.HTML(elem_id="collect-line")
    photos = gr.Dropdown([], label=label("collect_photos"), visible=False, elem_id="collect-photos")
    archive = gr.File(
        label=label("collect_zip"), interactive=False, visible=False, elem_id="collect-zip"
    )
    folder = gr.State(delete_callback=remove_folder, time_to_live=KEPT_SECONDS)
    loaded = gr.State(delete_callback=remove_loaded, time_to_live=KEPT_SECONDS)
    return CollectControls(add, load, photos, line, archive, folder, loaded, gr.State(("", None)))


class CollectEvents:
    """What the controls do.

    Args:
        owners: where photos are kept, with `--collect`; None packs each visitor's into a ZIP.
    """

    def __init__(
        self,
        controls: CollectControls,
        board: gr.HTML,
        session: gr.State,
        owners: TrainingSet | None,
    ) -> None:
        self.controls = controls
        self.board = board
        self.session = session
        self.owners = owners

    def connect(self, photo: gr.Image) -> list[Any]:
        """Connects them; returns the events after which annotations may be shown.

        Args:
            photo: where a chosen photo of a loaded set goes, which is then run.
        """
        controls = self.controls
        controls.add.click(
            self.add,
            {self.session, self.board, controls.folder},
            [controls.folder, controls.archive, controls.line],
            **PRIVATE,
        )
        loaded = controls.load.upload(
            self.load,
            [controls.load, controls.loaded, self.session],
            [controls.loaded, controls.wanted, controls.photos, controls.line],
            **PRIVATE,
        )
        chosen = controls.photos.input(
            self.choose, [controls.photos, controls.loaded], [photo, controls.wanted], **PRIVATE
        )
        return [loaded, chosen]

    def add(self, values: Values, request: gr.Request) -> Updates:
        """Keeps the photo and its people as the editor has them now."""
        language, controls = language_of(request), self.controls
        session: Session | None = values[self.session]
        if session is None:
            raise gr.Error(say("no_photo", language), print_exception=False)
        try:
            session = corrected(session, values[self.board]) or session
            folder = values[controls.folder]
            if not self.owners and not folder:
                folder = str(new_folder("training-set"))
            kept = self.owners or TrainingSet(Path(folder))
            people = session.labelled_of(session.a)
            count = kept.add(session.photo, session.file_name, people)
            archive = None if self.owners else self.pack(kept)
        except UserError as error:
            raise toast(error) from None
        text = say(
            "collect_kept" if self.owners else "collect_packed",
            language,
            name=session.file_name,
            folder=kept.folder.name,
            people=people_count(len(people), language),
            count=count,
        )
        return {
            controls.folder: folder,
            controls.archive: gr.update(value=archive, visible=archive is not None),
            controls.line: lines(text),
        }

    def pack(self, kept: TrainingSet) -> str:
        """The visitor's set as a ZIP for the download; returns its path."""
        path = kept.folder / ZIP
        write_bytes(path, kept.packed())
        return str(path)

    def load(
        self, path: str, before: Loaded | None, session: Session | None, request: gr.Request
    ) -> list[Any]:
        """Annotations arrive; if they name the photo that is open, they are shown."""
        language = language_of(request)
        try:
            loaded = load_annotations(path)
        except UserError as error:
            raise toast(error) from None
        remove_loaded(before)
        names = loaded.truth.names
        text = say("collect_loaded", language, name=photo_name(path), count=len(names))
        choices = [name for name in names if name in loaded.photos]
        return [
            loaded,
            (session.file_name if session else "", None),
            gr.update(choices=choices, value=None, visible=bool(choices)),
            lines(f"{text} {say('collect_choose', language, names=', '.join(names[:3]))}"),
        ]

    def choose(self, name: str | None, loaded: Loaded | None) -> Any:
        """A photo of the loaded set goes where photos go."""
        path = loaded.photos.get(name or "") if loaded else None
        return (str(path), (name, None)) if path else (gr.skip(), ("", None))

    def annotated(self, values: Values, language: str) -> tuple[Session, str] | None:
        """The session with the loaded people of its photo, and a line; None without any.

        Raises:
            UserError: they are annotated on a photo of another size.
        """
        session: Session | None = values[self.session]
        loaded: Loaded | None = values[self.controls.loaded]
        name, run = values[self.controls.wanted]
        wanted = session and name == session.file_name
        if session and run is not None:
            # What settled that run may have put back the people that the network found.
            wanted = wanted and run == session.runs and session.ground_truth is None
        shown = annotated_people(loaded.truth, session) if loaded and session and wanted else None
        if shown is None or session is None or loaded is None:
            return None
        text = say("collect_shown", language, people=people_count(len(shown.people), language))
        if shown.outside:
            text += " " + say("collect_outside", language, count=shown.outside)
        known = replace(session, ground_truth=loaded.truth.of(session.file_name))
        return correct(known, shown.people), lines(text)


def lines(text: str) -> str:
    """A line that a screen reader announces."""
    return f'<div class="lines" role="status">{escape(text)}</div>'
