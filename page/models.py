"""The weights that the page offers, and the estimators that run them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

import pose
from page.estimator_cache import EstimatorCache, EstimatorKey
from page.photo.ground_truth import GroundTruth
from page.serving.hosting import ZERO_GPU, on_gpu
from pose import DecodeSettings, UserError, WeightsCard, catalogue
from pose.weights.hub import Progress, fetch

if TYPE_CHECKING:
    from pose import PoseEstimator, PoseResult

DEFAULT_WEIGHTS = "mobilenet-thin"
PREFERRED_SECOND = "custom"
DEFAULT_PRESET = "balanced"
DEFAULTS = DecodeSettings()
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

    def estimator_key(self, key: str) -> EstimatorKey:
        return EstimatorKey(str(self.path), self.path, 0, self.preprocessing, key)


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        photo: RGB uint8 (H, W, 3).
        weights: name in the catalogue, or key of a visitor's own.
        preset: "fast", "balanced" or "accurate".
        settings: the decoder's thresholds.
        stages: keep the maps of all six stages, which only the stage viewer shows.
    """

    photo: np.ndarray
    weights: str
    preset: str
    settings: DecodeSettings = DEFAULTS
    stages: bool = False


class Models:
    """The catalogue and the estimators in memory; safe to share by threads.

    Attributes:
        device: "auto", "cpu" or "cuda".
        weights_dir: folder of run directories.
        ground_truth: annotated people of known photos, None without.
        cache: estimators kept in memory.
        own: weights that visitors added, by keys that nobody can guess.
    """

    def __init__(
        self,
        device: str = "auto",
        weights_dir: str | Path | None = None,
        ground_truth: GroundTruth | None = None,
    ) -> None:
        self.device = device
        self.weights_dir = weights_dir
        self.ground_truth = ground_truth
        self.cache: EstimatorCache[EstimatorKey, PoseEstimator] = EstimatorCache(self._load)
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

        A run that has been trained further since is loaded again.

        Raises:
            UserError: there is no such name, or its file cannot be used.
        """
        key = self._key(name)
        if not key.owner:
            self.fetch(name)  # not while the cache is locked, which a download would hold for long
        return self.cache.get(key)

    def check_room(self, kept: Iterable[str]) -> None:
        """Refuses a visitor with these keys who may not add one more.

        Raises:
            UserError: too many are kept.
        """
        if sum(key in self.own for key in kept) >= MOST_OWN:
            raise UserError(
                f"at most {MOST_OWN} weights can be added; reload the page to start over"
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
            self.cache.drop(own.estimator_key(key))
            if own.folder is not None:
                own.folder.cleanup()

    def load_default(self) -> None:
        """Loads the default weights: on ZeroGPU before the process is copied."""
        name = self.default_pair()[0]
        READY[self._key(name)] = self.estimator(name)

    def network_runs(self) -> int:
        """How often the networks in memory have run, for tests."""
        return sum(estimator.network_runs for estimator in self.cache.kept.values())

    def estimate(self, job: Job) -> PoseResult:
        """The people in one photo.

        Raises:
            UserError: the weights, the preset or the photo cannot be used.
        """
        estimator = self.estimator(job.weights)
        key = self._key(job.weights)
        READY[key] = estimator
        if ZERO_GPU:
            return run_estimator(key, self.device, self.weights_dir, job)
        return NETWORK.submit(run_estimator, key, self.device, self.weights_dir, job).result()

    def _key(self, name: str) -> EstimatorKey:
        own = self.own.get(name)
        if own is not None:
            return own.estimator_key(name)
        card = self.card(name)
        try:
            changed = card.path.stat().st_mtime_ns if card.path else 0
        except OSError:  # gone since the catalogue was read
            changed = 0
        return EstimatorKey(card.name, card.path, changed)

    def _load(self, key: EstimatorKey) -> PoseEstimator:
        return load_estimator(key, self.device, self.weights_dir)


READY: WeakValueDictionary[EstimatorKey, PoseEstimator] = WeakValueDictionary()
"""The estimators in memory. On ZeroGPU the network runs in a copy of this process, which finds them
here: they cannot be sent there."""


NETWORK = ThreadPoolExecutor(1, "network")
"""The one thread that networks run in: their libraries keep threads of their own and memory for
every thread that calls them, and Gradio calls from forty. On ZeroGPU another process runs them."""


@on_gpu
def run_estimator(
    key: EstimatorKey, device: str, weights_dir: str | Path | None, job: Job
) -> PoseResult:
    """One photo through the network: the one place of the page that needs the accelerator."""
    estimator = READY.get(key) or load_estimator(key, device, weights_dir)
    return estimator(job.photo, preset=job.preset, stages=job.stages, **asdict(job.settings))


def load_estimator(key: EstimatorKey, device: str, weights_dir: str | Path | None) -> PoseEstimator:
    # By its package's name: PyTorch is imported here, when the page already answers.
    return pose.PoseEstimator.from_pretrained(
        key.source, device=device, preprocessing=key.preprocessing, weights_dir=weights_dir
    )
