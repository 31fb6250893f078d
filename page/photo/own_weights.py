"""Weights that a visitor adds for the time of the visit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.utils import get_upload_folder

from page.components import download_progress
from page.events import MODEL_QUEUE, PRIVATE, Updates, Values
from page.i18n.labels import label, language_of, say
from page.models import Models, OwnWeights
from page.photo.weights_menu import WeightsEvents
from page.workspace import workspace
from pose import UserError
from pose.networks.preprocessing import PREPROCESSINGS
from pose.weights.catalogue import hub_card
from pose.weights.hub import Progress, fetch
from pose.weights.hub_ids import parse_hub_id

if TYPE_CHECKING:
    from pose.weights.load import LoadedWeights

FILE_TYPES = [".safetensors", ".pth", ".pt", ".tar", ".ckpt", ".bin", ".npz"]
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
    """Builds the components inside the open `gr.Blocks`."""

    # A function, no method: Gradio copies the layout for everyone who opens the page, and a method
    # is copied with its object, here with every network in memory.
    def forget(keys: tuple[str, ...] | None) -> None:
        models.forget(keys)

    # Leaving the page forgets the weights, within an hour.
    kept = gr.State(delete_callback=forget, time_to_live=KEPT_SECONDS)
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
    """Connects the components with the two drop-downs.

    `fail` makes the updates that show a user's mistake, which need the values of `needs` and change
    `status`.
    """

    def __init__(
        self,
        controls: OwnControls,
        models: Models,
        weights: WeightsEvents,
        fail: Callable[[Values, UserError, str], Updates],
        needs: set[Any],
        status: gr.HTML,
    ) -> None:
        self.controls = controls
        self.models = models
        self.weights = weights
        self.fail = fail
        self.needs = needs
        self.status = status

    def connect(self) -> None:
        own, menu = self.controls, self.weights.menu
        own.add.click(
            self.add,
            {own.kept, own.file, own.hub, own.preprocessing, menu.a, *self.needs},
            [own.kept, own.file, own.hub, menu.a, menu.b, self.status],
            show_progress_on=[own.add],
            **MODEL_QUEUE,
            **PRIVATE,
        )

    def add(
        self,
        values: Values,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
    ) -> Updates:
        """The button: loads the weights once, offers them in both drop-downs, selects them as B."""
        own, menu = self.controls, self.weights.menu
        language = language_of(request)
        file, preprocessing = values[own.file], values[own.preprocessing] or None
        kept: tuple[str, ...] = values[own.kept] or ()
        try:
            self.models.check_room(kept)
            if file:
                added = uploaded(file, preprocessing, language)
            else:
                report = download_progress(progress)
                added = fetched(values[own.hub], preprocessing, language, report)
        except UserError as error:
            return self.fail(values, error, language)
        key = self.models.keep(added)
        kept = (*kept, key)
        choices = self.weights.refresh(kept, values[menu.a], key)
        return {**choices, own.kept: kept, own.file: None, own.hub: ""}


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
        # Visitors are not shown where uploads are stored.
        raise UserError(str(error).replace(str(path), path.name)) from None
    folder = TemporaryDirectory(prefix="weights-", dir=workspace())
    moved = Path(folder.name) / f"weights{path.suffix}"
    shutil.move(path, moved)
    return own_weights(path.name, moved, loaded, loaded.notes, language, folder)


def fetched(
    name: str, preprocessing: str | None, language: str, progress: Progress | None = None
) -> OwnWeights:
    """Weights from the Hub; a path of this machine is never opened.

    Raises:
        UserError: it is no Hub id, cannot be downloaded, is too large, or cannot be used.
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
    """`pose.weights.load.load_file`, imported here: it imports PyTorch, which takes seconds."""
    from pose.weights.load import load_file

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
