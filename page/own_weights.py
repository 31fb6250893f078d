"""Weights that a visitor adds for the time of the visit: layout, safety and what happens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.utils import get_upload_folder

from page.components import download_progress, toast
from page.labels import label, language_of, say
from page.models import Models, OwnWeights
from page.workspace import workspace
from pose import UserError
from pose.catalogue import hub_card
from pose.hub import Progress, fetch, parse_hub_id
from pose.preprocessing import PREPROCESSINGS

if TYPE_CHECKING:
    from pose.weights import LoadedWeights

FILE_TYPES = [".safetensors", ".pth", ".pt", ".ckpt", ".npz"]
AUTO = ""
"""Value of the radio when the file decides on the preprocessing."""

KEPT_SECONDS = 3600
"""How long the weights are kept after the last were added."""

MAX_HUB_BYTES = 1 << 30
"""Largest file fetched from the Hub; CMU's weights with an optimiser's state have 0.6 GB."""


@dataclass
class OwnControls:
    """The components; `kept` holds the keys of this visitor's weights."""

    kept: gr.State
    file: gr.File
    hub: gr.Textbox
    preprocessing: gr.Radio
    add: gr.Button


def own_controls(models: Models) -> OwnControls:
    """Builds the closed accordion inside the open `gr.Blocks`."""

    # A function, no method: Gradio copies the layout for everyone who opens the page, and a method
    # is copied with its object, here with every network in memory.
    def forget(keys: tuple[str, ...] | None) -> None:
        models.forget(keys)

    # Leaving the page forgets the weights, within an hour.
    kept = gr.State(delete_callback=forget, time_to_live=KEPT_SECONDS)
    with gr.Accordion(label("own_title"), open=False, elem_id="own-weights"):
        file = gr.File(
            label=label("own_file"), file_types=FILE_TYPES, elem_id="weights-file", height=130
        )
        hub = gr.Textbox(
            label=label("own_hub"),
            info=label("own_hub_info"),
            placeholder="owner/repo",
            max_lines=1,
            elem_id="weights-hub",
        )
        preprocessing = gr.Radio(
            [(label("own_auto"), AUTO), *((name, name) for name in PREPROCESSINGS)],
            value=AUTO,
            label=label("own_preprocessing"),
            elem_id="weights-preprocessing",
        )
        add = gr.Button(label("own_add"), elem_id="weights-add")
    return OwnControls(kept, file, hub, preprocessing, add)


class OwnEvents:
    """Connects the accordion with the two drop-downs.

    Attributes:
        choices: keys of the visitor's weights, A and B → updates of both drop-downs.
    """

    def __init__(
        self, controls: OwnControls, models: Models, choices: Callable[..., list[Any]]
    ) -> None:
        self.controls = controls
        self.models = models
        self.choices = choices

    def connect(self, weights_a: gr.Dropdown, weights_b: gr.Dropdown, **event: Any) -> None:
        parts = self.controls
        parts.add.click(
            self.add,
            [parts.kept, parts.file, parts.hub, parts.preprocessing, weights_a],
            [parts.kept, weights_a, weights_b, parts.file, parts.hub],
            show_progress_on=[parts.add],
            **event,
        )

    def add(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
        kept: tuple[str, ...] | None = None,
        file: str | None = None,
        hub: str = "",
        preprocessing: str = AUTO,
        weights_a: str = "",
    ) -> list[Any]:
        """The button: loads the weights once, offers them in both drop-downs, takes them as B."""
        language = language_of(request)
        kept = kept or ()
        try:
            self.models.check_room(kept)
            if file:
                own = uploaded(file, preprocessing or None, language)
            else:
                own = fetched(hub, preprocessing or None, language, download_progress(progress))
        except UserError as error:
            raise toast(error) from None
        key = self.models.keep(own)
        kept = (*kept, key)
        return [kept, *self.choices(kept, weights_a, key), None, ""]


def uploaded(file: str, preprocessing: str | None, language: str) -> OwnWeights:
    """Weights from Gradio's folder of uploads, moved to a folder of their own.

    Raises:
        UserError: it is no upload, or it cannot be used.
    """
    path = Path(file).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise UserError("the file did not arrive: upload it again")
    try:
        loaded = opened(path, preprocessing=preprocessing)
    except UserError as error:
        # Where uploads lie is nobody's business.
        raise UserError(str(error).replace(str(path), path.name)) from None
    folder = TemporaryDirectory(prefix="weights-", dir=workspace())
    moved = Path(folder.name) / f"weights{path.suffix}"
    shutil.move(path, moved)
    return own_weights(path.name, moved, loaded, loaded.notes, language, folder)


def fetched(
    name: str, preprocessing: str | None, language: str, progress: Progress | None = None
) -> OwnWeights:
    """Weights from the Hub; a path of this machine is never looked at.

    Raises:
        UserError: it is no Hub id, not to be had, too large, or cannot be used.
    """
    if not name.strip():
        raise UserError("choose a weights file, or type a Hub id owner/repo")
    source = parse_hub_id(name.strip())
    if source is None:
        raise UserError(
            "a Hub id looks like owner/repo, owner/repo@revision or owner/repo/file; a file of "
            "yours has to be uploaded"
        )

    def limited(done: int, total: int | None, file: str) -> None:
        if max(done, total or 0) > MAX_HUB_BYTES:
            raise UserError(f"{source} is larger than {MAX_HUB_BYTES >> 30} GB: not fetched")
        if progress:
            progress(done, total, file)

    found = fetch(replace(source, anonymous=True), limited)
    try:
        loaded = opened(
            found.path, card=hub_card(found.source, str(source)), preprocessing=preprocessing
        )
    except UserError as error:
        raise UserError(str(error).replace(str(found.path), str(found.source))) from None
    return own_weights(str(source), found.path, loaded, (*loaded.notes, *found.notes), language)


def opened(path: Path, **options: Any) -> LoadedWeights:
    """`pose.weights.load_file`; PyTorch comes with it, which the page does not wait for."""
    from pose.weights import load_file

    return load_file(path, **options)


def own_weights(
    name: str,
    path: Path,
    loaded: LoadedWeights,
    notes: tuple[str, ...],
    language: str,
    folder: TemporaryDirectory | None = None,
) -> OwnWeights:
    """An entry for `Models.keep`; its card says how the file was read."""
    chosen = loaded.preprocessing.name
    taken = say("own_taken", language, format=loaded.format, preprocessing=chosen)
    card = replace(loaded.card, name=name, present=True, path=path, hub=None, notes=(taken, *notes))
    return OwnWeights(card, path, chosen, folder)
