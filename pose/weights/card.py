"""What is known about weights without loading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pose.networks.names import NETWORK_NAMES
from pose.networks.preprocessing import PREPROCESSINGS
from pose.weights.hub_ids import HubSource
from pose.weights.known_files import FORMAT_MARKER


@dataclass(frozen=True)
class WeightsCard:
    """What is known about a set of weights without loading it.

    Attributes:
        name: what `load_weights` takes.
        title: one line that describes the weights.
        network: name in `pose.networks.names.NETWORK_NAMES`, None until the file has been opened.
        preprocessing: name in `pose.networks.preprocessing.PREPROCESSINGS`, None until known.
        source: where the weights come from.
        licence: as its authors name it, or "unknown".
        size_bytes: of the file, None where unknown.
        ap: COCO keypoint AP in 0..1, None where not measured.
        ap_note: what the AP was measured on.
        present: whether the file is on this machine.
        path: the file, None while it is not on this machine.
        notes: sentences a user should see before using the weights, such as licence conditions.
        hub: where to fetch it from, None for local files.
        metadata: the metadata in the file.
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


def card_from_metadata(
    metadata: Mapping[str, str], file: Path, name: str, source: str
) -> WeightsCard:
    """A card from the metadata of a weights file; unknown names count as missing."""
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


def file_card(path: Path, name: str) -> WeightsCard:
    """The card of a file named by the user, before it is opened."""
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
    """The card of a Hub id named by the user."""
    return WeightsCard(
        name=name,
        title=name,
        network=None,
        preprocessing=None,
        source=f"Hub: {source}",
        licence="unknown, see its page on the Hub",
        hub=source,
    )
