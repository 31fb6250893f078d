"""The catalogue: all weights that can be used, and what is known about each.

Nothing here imports PyTorch, so that listing weights is quick.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pose.errors import UserError, display
from pose.files import BUNDLED_WEIGHTS
from pose.weights.card import WeightsCard, card_from_metadata, file_card, hub_card
from pose.weights.hub import cached
from pose.weights.hub_ids import HubSource, parse_hub_id
from pose.weights.known_files import BODY_POSE_MODEL_SHA256

RUN_WEIGHTS = "weights.safetensors"
"""The file that makes a run directory a finished one."""


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

    Reads headers only, at every call, so that a run that has just finished appears. Files that
    cannot be read are left out.
    """
    cards = {card.name: card for card in bundled_cards()}
    cards.setdefault(OPENPOSE_COCO.name, located(OPENPOSE_COCO))
    for card in run_cards(runs_dir(weights_dir)):
        # A run with the name of other weights is listed by its path.
        name = str(card.path.parent) if card.path and card.name in cards else card.name
        cards[name] = replace(card, name=name)
    return list(cards.values())


def bundled_cards() -> list[WeightsCard]:
    """Cards of assets/weights/*.safetensors, mobilenet-thin first."""
    files = sorted(
        BUNDLED_WEIGHTS.glob("*.safetensors"), key=lambda p: (p.stem != "mobilenet-thin", p)
    )
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
    """A card from the header of a safetensors file; None where it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        metadata = safe_open(file, framework="np").metadata()
        return card_from_metadata(metadata or {}, file, name, source)
    except (SafetensorError, OSError, ValueError):
        return None


def located(card: WeightsCard) -> WeightsCard:
    """The card with `present` and `path` filled in from the Hub's cache, without the network."""
    path = cached(card.hub) if card.hub else card.path
    if path is None:
        return card
    return replace(card, path=path, present=True, size_bytes=path.stat().st_size)


def resolve(name: str, weights_dir: str | Path | None = None) -> WeightsCard:
    """The card of the weights a user named; nothing is fetched.

    Raises:
        UserError: nothing has that name.
    """
    name = str(name).strip()
    if not name:
        raise UserError("no weights were named; `python -m pose weights` lists them")
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
    folder = Path(name).parts[0]
    if path and "/" in name and "@" not in name and Path(folder).is_dir():
        raise UserError(
            f"there are no weights at {display(name)}; `python -m pose weights` lists those that "
            f"there are, and the Hub's repository of that name is {display(name)}@main"
        )
    source = parse_hub_id(name)
    if source is not None:
        return located(hub_card(source, name))
    raise UserError(
        f"no weights are called {display(name)}; give a file that exists, a Hub id owner/repo, "
        f"or one of: {', '.join(cards)}"
    )


def local_path(name: str) -> Path | None:
    """A name as a local path; None where it cannot be one."""
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError):  # too long, or an unknown user's home
        return None
    return path
