"""The estimators behind the page: which weights there are, and one answer for one photo."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

import pose
from page.hosting import ZERO_GPU, on_gpu
from page.truth import Truth
from pose import UserError, WeightsCard, catalogue
from pose.estimator_cache import EstimatorCache
from pose.hub import Progress, fetch

if TYPE_CHECKING:
    from pose import PoseEstimator, PoseResult

DEFAULT_WEIGHTS = "mobilenet-thin"
PREFERRED_SECOND = "custom"
DEFAULT_PRESET = "balanced"
NO_WEIGHTS = ""
"""Value of the second drop-down when nothing is compared."""


OWN_PREFIX = "own:"
"""How the keys of visitors' weights begin."""

MOST_OWN = 4
"""Most weights that one visitor adds."""

MOST_OF_ALL = 20
"""Most weights kept of all visitors together, so that uploads do not fill the disk."""


@dataclass(frozen=True)
class OwnWeights:
    """Weights that one visitor added.

    Attributes:
        card: `name` is the file's or the Hub id, for people; the drop-down's value is a key.
        path: the file.
        preprocessing: name of the one taken.
        folder: deleted with the entry, at the latest when the server stops; None for the Hub's.
    """

    card: WeightsCard
    path: Path
    preprocessing: str
    folder: TemporaryDirectory | None = None


@dataclass(frozen=True)
class Job:
    """What to run: the photo, RGB uint8 (H, W, 3), and how."""

    photo: np.ndarray
    weights: str
    preset: str
    stages: bool = True


class Models:
    """The catalogue and the estimators in use; safe to share by threads.

    Attributes:
        device: "auto", "cpu" or "cuda".
        weights_dir: folder of run directories.
        truth: annotated people of known photos, None without.
        cache: estimators kept ready, by `cache_key` or `own_key`.
        own: weights that visitors added, by keys that nobody else can guess.
    """

    def __init__(
        self,
        device: str = "auto",
        weights_dir: str | Path | None = None,
        truth: Truth | None = None,
    ) -> None:
        self.device = device
        self.weights_dir = weights_dir
        self.truth = truth
        self.cache: EstimatorCache[PoseEstimator] = EstimatorCache(self._load)
        self.own: dict[str, OwnWeights] = {}

    def cards(self) -> list[WeightsCard]:
        """The catalogue as it is now."""
        return catalogue(self.weights_dir)

    def default_pair(self) -> tuple[str, str]:
        """Names of the weights A and B to begin with; B may be `NO_WEIGHTS`."""
        here = [card.name for card in self.cards() if card.present]
        if not here:
            raise UserError("no weights are here: the folder assets/weights is missing")
        first = DEFAULT_WEIGHTS if DEFAULT_WEIGHTS in here else here[0]
        others = [name for name in here if name != first]
        if PREFERRED_SECOND in others:
            return first, PREFERRED_SECOND
        return first, others[-1] if others else NO_WEIGHTS

    def card(self, name: str) -> WeightsCard:
        """The card of a catalogue entry, or of a visitor's weights by their key.

        Raises:
            UserError: there is no such name or key.
        """
        own = self.own.get(name)
        if own is not None:
            return own.card
        if name.startswith(OWN_PREFIX):
            raise UserError("the weights you added are no longer kept: add them again")
        cards = {card.name: card for card in self.cards()}
        if name not in cards:
            # Only names of the catalogue: a visitor must not reach into the machine's files.
            raise UserError(f"no weights are called {name!r}; there are: {', '.join(cards)}")
        return cards[name]

    def fetch(self, name: str, progress: Progress | None = None) -> None:
        """Downloads a catalogue entry that is not here yet; otherwise does nothing.

        Raises:
            UserError: it cannot be had.
        """
        card = self.card(name)
        if not card.present and card.hub:
            fetch(card.hub, progress)

    def estimator(self, name: str) -> PoseEstimator:
        """The estimator of a catalogue entry or key; fetched and loaded on first use.

        A run that has been trained further since is loaded anew.

        Raises:
            UserError: the catalogue has no such name, or its file cannot be used.
        """
        return self.cache(self._key(name))

    def check_room(self, kept: Iterable[str]) -> None:
        """Whether a visitor with these keys may add one more.

        Raises:
            UserError: too many are kept.
        """
        if sum(key in self.own for key in kept) >= MOST_OWN:
            raise UserError(
                f"at most {MOST_OWN} weights can be added; reload the page to begin anew"
            )
        if len(self.own) >= MOST_OF_ALL:
            raise UserError("too many visitors have added weights just now; try again in an hour")

    def keep(self, own: OwnWeights) -> str:
        """Takes in a visitor's weights; returns their key."""
        key = OWN_PREFIX + token_urlsafe(24)
        self.own[key] = own
        return key

    def forget(self, kept: Iterable[str] | None) -> None:
        """Drops a visitor's weights, their estimators and the uploaded files."""
        for key in kept or ():
            own = self.own.pop(key, None)
            if own is None:
                continue
            self.cache.drop(own_key(key, own))
            if own.folder is not None:
                own.folder.cleanup()

    def load_default(self) -> None:
        """Loads the default weights: on ZeroGPU before the process is copied."""
        key = cache_key(self.card(self.default_pair()[0]))
        READY[key] = self.cache(key)

    def network_runs(self) -> int:
        """How often the networks in use have run, for tests and status lines."""
        return sum(self.cache(key).network_runs for key in self.cache.keys)

    def look(self, job: Job) -> PoseResult:
        """Runs the network on one photo.

        Raises:
            UserError: the weights, the preset or the photo cannot be used.
        """
        key = self._key(job.weights)
        estimator = self.cache(key)
        READY[key] = estimator
        if ZERO_GPU:
            return run_estimator(key, self.device, self.weights_dir, job)
        return NETWORK.submit(run_estimator, key, self.device, self.weights_dir, job).result()

    def _key(self, name: str) -> str:
        card = self.card(name)
        own = self.own.get(name)
        return cache_key(card) if own is None else own_key(name, own)

    def _load(self, key: str) -> PoseEstimator:
        return load_estimator(key, self.device, self.weights_dir)


READY: WeakValueDictionary[str, PoseEstimator] = WeakValueDictionary()
"""The estimators in memory by key. On ZeroGPU the network runs in a copy of this process, which
finds them here: they cannot be sent there."""


NETWORK = ThreadPoolExecutor(1, "network")
"""The one thread that networks run in: their libraries keep threads of their own and memory for
every thread that calls them, and Gradio calls from forty. On ZeroGPU another process runs them."""


@on_gpu
def run_estimator(key: str, device: str, weights_dir: str | Path | None, job: Job) -> PoseResult:
    """One photo through the network: the one place of the page that needs the accelerator."""
    estimator = READY.get(key) or load_estimator(key, device, weights_dir)
    return estimator(job.photo, preset=job.preset, stages=job.stages)


def load_estimator(key: str, device: str, weights_dir: str | Path | None) -> PoseEstimator:
    name, _, _, preprocessing = key.split("\n")
    # By its package's name: PyTorch is imported here, when the page is already there.
    return pose.PoseEstimator.from_pretrained(
        name, device=device, preprocessing=preprocessing or None, weights_dir=weights_dir
    )


def cache_key(card: WeightsCard) -> str:
    """Name, time of change and file of a checkpoint, one a line; its own preprocessing."""
    try:
        changed = card.path.stat().st_mtime_ns if card.path else 0
    except OSError:  # gone since the catalogue was read
        changed = 0
    return f"{card.name}\n{changed}\n{card.path}\n"


def own_key(key: str, own: OwnWeights) -> str:
    """The same for a visitor's weights: the file names them, and the preprocessing is fixed."""
    return f"{own.path}\n\n{key}\n{own.preprocessing}"
