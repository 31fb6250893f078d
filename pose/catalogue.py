"""The catalogue: every set of weights that can be used, and what is known about each.

Nothing here loads weights, so that a list of them does not wait for PyTorch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pose.errors import UserError, display
from pose.hub import HubSource, cached, parse_hub_id
from pose.known_files import BODY_POSE_MODEL_SHA256, FORMAT_MARKER
from pose.names import NETWORK_NAMES
from pose.preprocessing import PREPROCESSINGS
from pose.safetensors_header import read_safetensors_header

BUNDLED_DIR = Path(__file__).resolve().parents[1] / "assets" / "weights"
RUN_WEIGHTS = "weights.safetensors"
"""The file that makes a run directory a finished one."""


@dataclass(frozen=True)
class WeightsCard:
    """What is known about a set of weights without loading it.

    Attributes:
        name: what `load_weights` takes.
        title: a line for people.
        network: name in `pose.names.NETWORK_NAMES`, None until the file has been opened.
        preprocessing: name in `pose.preprocessing.PREPROCESSINGS`, None until known.
        source: where the weights come from.
        licence: as its authors name it, or "unknown".
        size_bytes: of the file, None where unknown.
        ap: COCO keypoint AP in 0..1, None where not measured.
        ap_note: what the AP was measured on.
        present: whether the file is on this machine.
        path: the file, None while it is not here.
        notes: sentences a user should see before using the weights, such as licence conditions.
        hub: where to fetch it from, None for local files.
        metadata: the texts of the file itself.
    """

    name: str
    title: str
    network: str | None
    preprocessing: str | None
    source: str
    licence: str
    size_bytes: int | None = None
    ap: float | None = None
    ap_note: str = ""
    present: bool = False
    path: Path | None = None
    notes: tuple[str, ...] = ()
    hub: HubSource | None = None
    metadata: Mapping[str, str] | None = None


OPENPOSE_COCO = WeightsCard(
    name="openpose-coco",
    title="CMU OpenPose, VGG-19, COCO",
    network="openpose",
    preprocessing="caffe",
    source="Hub: lllyasviel/Annotators/body_pose_model.pth",
    licence="CMU OpenPose, non-commercial",
    size_bytes=209_267_595,
    notes=(
        "The CMU OpenPose weights (openpose-coco) are licensed for academic or non-profit, "
        "non-commercial research only.",
    ),
    hub=HubSource(
        "lllyasviel/Annotators",
        "body_pose_model.pth",
        revision="982e7edaec38759d914a963c48c4726685de7d96",
        sha256=BODY_POSE_MODEL_SHA256,
    ),
)
"""Terms: the LICENSE of CMU-Perceptual-Computing-Lab/openpose. Size, commit and sha256 as several
public projects that fetch the same file record them."""


def runs_dir(weights_dir: str | Path | None = None) -> Path:
    """The folder of run directories: the argument, POSE_WEIGHTS_DIR, or `runs`."""
    return Path(weights_dir or os.environ.get("POSE_WEIGHTS_DIR") or "runs").expanduser()


def catalogue(weights_dir: str | Path | None = None) -> list[WeightsCard]:
    """Everything that can be named: bundled weights, CMU's on the Hub, finished runs.

    Reads headers only, and reads them anew at every call, so that a run that has just finished
    appears. Files that cannot be read are left out.
    """
    cards = {card.name: card for card in bundled_cards()}
    cards.setdefault(OPENPOSE_COCO.name, located(OPENPOSE_COCO))
    for card in run_cards(runs_dir(weights_dir)):
        # A run may carry the name of something else; then its path names it.
        name = str(card.path.parent) if card.name in cards else card.name
        cards[name] = replace(card, name=name)
    return list(cards.values())


def bundled_cards() -> list[WeightsCard]:
    """Cards of assets/weights/*.safetensors, mobilenet-thin first."""
    files = sorted(BUNDLED_DIR.glob("*.safetensors"), key=lambda p: (p.stem != "mobilenet-thin", p))
    return [card for file in files if (card := readable_card(file, file.stem, "bundled"))]


def run_cards(folder: Path) -> list[WeightsCard]:
    """Cards of the finished runs in a folder, by name."""
    try:
        files = sorted(folder.glob(f"*/{RUN_WEIGHTS}"))
    except OSError:
        return []
    return [
        card
        for file in files
        if (card := readable_card(file, file.parent.name, f"run {file.parent}"))
    ]


def readable_card(file: Path, name: str, source: str) -> WeightsCard | None:
    try:
        return card_of_file(file, name, source)
    except (UserError, OSError):
        return None


def card_of_file(file: Path, name: str, source: str) -> WeightsCard:
    """A card from a safetensors file's header.

    Raises:
        UserError: not a whole safetensors file.
    """
    metadata = read_safetensors_header(file).get("__metadata__", {})
    return card_from_metadata(metadata, file, name, source)


def card_from_metadata(
    metadata: Mapping[str, str], file: Path, name: str, source: str
) -> WeightsCard:
    """A card from the texts in a weights file; names unknown to us are taken as not given."""
    ours = metadata.get("format") == FORMAT_MARKER
    network, preprocessing = metadata.get("network"), metadata.get("preprocessing")
    origin = metadata.get("source")
    return WeightsCard(
        name=name,
        title=metadata.get("title", name),
        network=network if network in NETWORK_NAMES else None,
        preprocessing=preprocessing if preprocessing in PREPROCESSINGS else None,
        source=f"{source}: {origin}" if origin and source == "bundled" else source,
        licence=metadata.get("licence", "unknown" if not ours else "not stated"),
        size_bytes=file.stat().st_size,
        ap=number(metadata.get("ap")),
        ap_note=metadata.get("ap_note", ""),
        present=True,
        path=file,
        metadata=dict(metadata),
    )


def number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def located(card: WeightsCard) -> WeightsCard:
    """The card with `present` and `path` filled in from the Hub's cache, without the network."""
    path = cached(card.hub) if card.hub else card.path
    if path is None:
        return card
    return replace(card, path=path, present=True, size_bytes=path.stat().st_size)


def resolve(name: str, weights_dir: str | Path | None = None) -> WeightsCard:
    """The card of whatever a user named; nothing is fetched.

    Raises:
        UserError: nothing has that name.
    """
    name = str(name).strip()
    if not name:
        raise UserError("no weights were named; `python -m pose weights` lists what there is")
    cards = {card.name: card for card in catalogue(weights_dir)}
    if name in cards:
        return cards[name]
    path = local_path(name)
    if path and path.is_dir():
        if not (path / RUN_WEIGHTS).is_file():
            raise UserError(
                f"{path} is a folder without {RUN_WEIGHTS}: an unfinished run, or not a run at "
                "all; give a weights file or a finished run"
            )
        path = path / RUN_WEIGHTS
        return file_card(path, str(path.parent))
    if path and path.exists():
        return file_card(path, path.name)
    source = parse_hub_id(name)
    if source is not None:
        return located(hub_card(source, name))
    raise UserError(
        f"no weights are called {display(name)}; give a file that exists, a Hub id owner/repo, "
        f"or one of: {', '.join(cards)}"
    )


def local_path(name: str) -> Path | None:
    """A name as a path of this machine; None where it cannot be one."""
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError):  # too long, or the home of nobody
        return None
    return path


def file_card(path: Path, name: str) -> WeightsCard:
    """The card of a file given by hand, before it is opened."""
    return WeightsCard(
        name=name,
        title=name,
        network=None,
        preprocessing=None,
        source=f"file {path}",
        licence="unknown",
        size_bytes=path.stat().st_size,
        present=True,
        path=path,
    )


def hub_card(source: HubSource, name: str) -> WeightsCard:
    """The card of a Hub id given by hand."""
    return WeightsCard(
        name=name,
        title=name,
        network=None,
        preprocessing=None,
        source=f"Hub: {source}",
        licence="unknown, see its page on the Hub",
        hub=source,
    )
