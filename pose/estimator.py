"""PoseEstimator: photo → views → network → maps → people."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image

from pose.averaging import finest_view
from pose.decode import DecodeSettings, decode_with_notes, find_candidates, people_of
from pose.engines import Engine, check_engine, make_engine, pick_device
from pose.errors import UserError
from pose.geometry import STRIDE, Grid, fit
from pose.image import load_image
from pose.looking import Look, Shown, look_on_device, look_on_host
from pose.on_device.maps import Shelf
from pose.out_of_memory import TOO_LITTLE, first_line, halving_note, is_out_of_memory
from pose.pipeline import ahead, in_batches, in_thread, reader_threads
from pose.presets import Preset, get_preset
from pose.results import FieldMaps, Person, PoseResult, Timings
from pose.weights import LoadedWeights, load_weights

Photo = str | Path | Image.Image | np.ndarray

SMALLEST_SIDE = 64
"""Input size below which running out of memory is given up on."""


@dataclass(frozen=True)
class Prepared:
    """A photo cut to the network's views."""

    source: Photo
    image_size: tuple[int, int]
    views: tuple[tuple[np.ndarray, Grid], ...]
    seconds: float


class PoseEstimator:
    """A network with its preprocessing, a preset and decoder settings; safe to share by threads.

    Attributes:
        weights: what was loaded, with its card and notes.
        device: where the network runs.
        preset: the views of a photo, unless a call names another.
        settings: the decoder's thresholds, unless a call changes some.
        engine: what runs the network; `engine.name` and `engine.precision` say what was chosen.
        notes: sentences on the weights and the engine that every result repeats.
        network_runs: how often the network ran, for tests and status lines.
        decode_on_device: whether maps stay where the network ran until they are read, and peaks and
            limbs are found there; so on CUDA. On the CPU PyTorch's engine can do it too, for tests.
    """

    def __init__(
        self,
        weights: LoadedWeights,
        *,
        device: str = "auto",
        preset: str | Preset = "balanced",
        settings: DecodeSettings | None = None,
        engine: str = "torch",
        precision: str | None = None,
    ) -> None:
        """An estimator of weights at hand, by default in PyTorch, in fp32 on the CPU.

        Other engines copy the network as the file has it (`weights.sha256`): a network that was
        changed since must run in PyTorch.
        """
        self.weights = weights
        self.device = pick_device(device)
        self.preset = get_preset(preset)
        self.settings = settings or DecodeSettings()
        if precision is None:
            precision = "fp32" if self.device.type == "cpu" else "auto"
        choice = make_engine(weights, self.device, engine, precision)
        self.engine: Engine = choice.engine
        self.notes = (*weights.notes, *choice.notes)
        self.network_runs = 0
        self.decode_on_device = self.device.type == "cuda"
        self._shelf = Shelf()
        self._border = weights.preprocessing.border()

    @classmethod
    def from_pretrained(
        cls,
        name: str = "mobilenet-thin",
        *,
        device: str = "auto",
        preset: str | Preset = "balanced",
        settings: DecodeSettings | None = None,
        preprocessing: str | None = None,
        weights_dir: str | Path | None = None,
        progress: Callable | None = None,
        engine: str = "auto",
        precision: str = "auto",
    ) -> PoseEstimator:
        """An estimator with weights by name, file, run directory or Hub id.

        Args:
            name: see `pose.weights.load_weights`.
            device: "auto", "cpu" or "cuda".
            preset: "fast", "balanced" or "accurate".
            settings: decoder thresholds.
            preprocessing: overrules the checkpoint's own.
            weights_dir: folder of run directories.
            progress: told of a download.
            engine: "auto", "torch", "openvino" or "onnxruntime"; see `pose.engines.make_engine`.
            precision: "auto", "fp32", "bf16" or, on CUDA, "fp16".

        Raises:
            UserError: the weights, device, engine or preset do not exist or cannot be used.
        """
        preset = get_preset(preset)
        check_engine(pick_device(device), engine, precision)
        weights = load_weights(
            name, preprocessing=preprocessing, weights_dir=weights_dir, progress=progress
        )
        return cls(
            weights,
            device=device,
            preset=preset,
            settings=settings,
            engine=engine,
            precision=precision,
        )

    def __call__(
        self,
        image: Photo,
        *,
        preset: str | Preset | None = None,
        stages: bool = False,
        **thresholds: float,
    ) -> PoseResult:
        """The people in one photo.

        Args:
            image: path, PIL image, or RGB array (H, W, 3); see `pose.image.load_image`.
            preset: other views than the estimator's own.
            stages: also keep the maps of every stage.
            thresholds: fields of `DecodeSettings` to change.

        Raises:
            UserError: the photo, the preset or a threshold cannot be used.
        """
        return self.batch([image], preset=preset, stages=stages, **thresholds)[0]

    def batch(
        self,
        images: Iterable[Photo],
        *,
        preset: str | Preset | None = None,
        stages: bool = False,
        **thresholds: float,
    ) -> list[PoseResult]:
        """The people in several photos: the same answers as one by one.

        On CUDA photos whose network inputs have one size run together; on the CPU that would
        gain nothing, so they run one after the other and answer bit for bit the same.
        """
        preset = get_preset(preset) if preset else self.preset
        settings = self.settings.changed(**thresholds)
        prepared = [self._prepare(image, preset) for image in images]
        return [
            self._finish(photo, look, settings, stages)
            for photo, look in self._look_at_all(prepared, preset, settings, stages)
        ]

    def stream(
        self,
        images: Iterable[Photo | Callable[[], Photo]],
        *,
        preset: str | Preset | None = None,
        batch_size: int = 8,
        keep_errors: bool = False,
        **thresholds: float,
    ) -> Iterator[PoseResult | UserError]:
        """The people in many photos, in order, each result as soon as it is there.

        Photos are read ahead and people decoded behind in other threads, so that the network is
        what the time is spent on. The answers are those of `batch`, without the stages.

        Args:
            images: as for a call, or functions that give one; taken as they are needed.
            preset: other views than the estimator's own.
            batch_size: photos that run together on CUDA.
            keep_errors: a photo that cannot be used is answered by its UserError instead of
                ending the stream.
            thresholds: fields of `DecodeSettings` to change.

        Raises:
            UserError: a photo, the preset or a threshold cannot be used.
        """
        preset = get_preset(preset) if preset else self.preset
        settings = self.settings.changed(**thresholds)
        size = batch_size if self.device.type == "cuda" else 1
        threads = reader_threads()

        def prepare(image: Photo | Callable[[], Photo]) -> Prepared | UserError:
            try:
                return self._prepare(image() if callable(image) else image, preset)
            except UserError as error:
                return error

        def look(batch: list[Prepared | UserError]) -> Iterator[tuple]:
            good = [p for p in batch if isinstance(p, Prepared)]
            photos = iter(self._look_at_all(good, preset, settings))
            return ((p, None) if isinstance(p, UserError) else next(photos) for p in batch)

        def finish(looked: tuple) -> PoseResult | UserError:
            photo, seen = looked
            return photo if seen is None else self._finish(photo, seen, settings, False)

        prepared = ahead(prepare, in_thread(images, size), threads, size + threads)
        looked = chain.from_iterable(map(look, in_batches(prepared, size)))
        for answer in ahead(finish, looked, 1 if size == 1 else threads, size):
            if isinstance(answer, UserError) and not keep_errors:
                raise answer
            yield answer

    def decode(self, maps: FieldMaps, **thresholds: float) -> tuple[Person, ...]:
        """People from maps that are at hand, with other thresholds; the network does not run.

        Raises:
            UserError: a threshold does not exist or is out of range.
        """
        return decode_with_notes(maps, self.settings.changed(**thresholds))[0]

    def _prepare(self, image: Photo, preset: Preset) -> Prepared:
        start = perf_counter()
        photo = load_image(image)
        views = tuple(fit(photo, side, self._border) for side in preset.short_sides)
        return Prepared(image, photo.shape[:2], views, perf_counter() - start)

    def _look_at_all(
        self,
        prepared: Sequence[Prepared],
        preset: Preset,
        settings: DecodeSettings,
        stages: bool = False,
    ) -> list[tuple[Prepared, Look]]:
        """Each photo with what the network said about it, those of one size run together."""
        looks: list[Look | None] = [None] * len(prepared)
        for members in self._grouped(prepared):
            start = perf_counter()
            found = self._look([prepared[i] for i in members], preset, settings, stages)
            seconds = (perf_counter() - start) / len(members)
            for i, look in zip(members, found, strict=True):
                looks[i] = replace(look, seconds=seconds)
        return list(zip(prepared, looks, strict=True))

    def _finish(
        self, photo: Prepared, look: Look, settings: DecodeSettings, stages: bool
    ) -> PoseResult:
        """The people in what the network said."""
        start = perf_counter()
        maps = look.stages[-1]
        candidates = look.candidates or find_candidates(maps, settings)
        people = people_of(candidates, maps.grid, settings)
        return PoseResult(
            people,
            maps,
            Timings(photo.seconds, look.seconds, perf_counter() - start),
            photo.image_size,
            look.stages if stages else (),
            (*self.notes, *look.notes, *candidates.notes),
        )

    def _grouped(self, prepared: Sequence[Prepared]) -> list[list[int]]:
        """Indices of the photos that run together."""
        if self.device.type == "cpu":
            return [[i] for i in range(len(prepared))]
        groups: dict[tuple, list[int]] = {}
        for i, photo in enumerate(prepared):
            # Among photos a few pixels wide the finest view can differ.
            finest = finest_view([grid for _, grid in photo.views])
            key = (*(picture.shape for picture, _ in photo.views), finest)
            groups.setdefault(key, []).append(i)
        return list(groups.values())

    def _look(
        self, photos: Sequence[Prepared], preset: Preset, settings: DecodeSettings, stages: bool
    ) -> list[Look]:
        """The averaged maps of each photo; out of memory, in smaller batches, then smaller."""
        try:
            shown = self._shown(photos, preset.flip)
            if self.decode_on_device:
                return look_on_device(self.engine, shown, stages, settings, self._shelf)
            return look_on_host(self.engine, shown, stages)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = first_line(error)
        # Outside of the handler, where the failed maps are no longer held by the error.
        self._shelf.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(photos) > 1:
            half = len(photos) // 2
            warnings.warn(f"out of memory: trying again with {half} photos at a time", stacklevel=3)
            return [
                *self._look(photos[:half], preset, settings, stages),
                *self._look(photos[half:], preset, settings, stages),
            ]
        smaller = replace(preset, short_sides=tuple(side // 2 for side in preset.short_sides))
        if min(smaller.short_sides) < SMALLEST_SIDE:
            raise UserError(f"{TOO_LITTLE}: choose --device cpu (the device said: {reason})")
        note = halving_note(smaller.short_sides)
        warnings.warn(note, stacklevel=3)
        again = self._prepare(photos[0].source, smaller)
        (look,) = self._look([again], smaller, settings, stages)
        return [replace(look, notes=(note, *look.notes))]

    def _shown(self, photos: Sequence[Prepared], flip: bool) -> Iterator[Shown]:
        """The views, each mirrored too if asked for; counted as they are taken."""
        for scale in range(len(photos[0].views)):
            pictures = np.stack([photo.views[scale][0] for photo in photos])
            grids = tuple(self._shifted(photo.views[scale][1]) for photo in photos)
            for mirrored in (False, True) if flip else (False,):
                self.network_runs += 1
                yield Shown(pictures[:, :, ::-1] if mirrored else pictures, grids, mirrored)

    def _shifted(self, grid: Grid) -> Grid:
        shift_x, shift_y = self.weights.shift
        return replace(grid, shift_x=shift_x / STRIDE, shift_y=shift_y / STRIDE)
