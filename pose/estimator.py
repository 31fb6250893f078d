"""PoseEstimator: preprocess, forward, postprocess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter

from pose.decoding.decode import DecodeSettings, assemble_people, decode, find_candidates
from pose.decoding.field_maps import FieldMaps
from pose.engines.base import Engine
from pose.engines.choice import check_engine, make_engine
from pose.engines.device import pick_device
from pose.engines.forward import ForwardPass, NetworkOutput
from pose.engines.inputs import InputMaker, NetworkInput, Photo
from pose.engines.prefetch import ahead, in_batches, in_thread, reader_threads
from pose.engines.second_pass import run_crops
from pose.errors import UserError
from pose.person import Person
from pose.presets import Preset, get_preset
from pose.results import PoseResult, Timings
from pose.weights.load import LoadedWeights, load_weights


class PoseEstimator:
    """A network with its preprocessing, a preset and decoder settings; safe to share by threads.

    Attributes:
        weights: what was loaded, with its card and notes.
        device: where the network runs.
        preset: the scales of a photo, unless a call names another.
        settings: the decoder's thresholds, unless a call changes some.
        engine: what runs the network; `engine.name` and `engine.precision` say what was chosen.
        notes: sentences on the weights and the engine that every result repeats.
    """

    def __init__(
        self,
        weights: LoadedWeights,
        *,
        device: str = "auto",
        preset: str | Preset = "balanced",
        settings: DecodeSettings | None = None,
        engine: str = "auto",
        precision: str = "auto",
    ) -> None:
        """An estimator of loaded weights.

        OpenVINO runs the network as the file has it (`weights.sha256`): a network that was changed
        since must run in PyTorch.
        """
        self.weights = weights
        self.device = pick_device(device)
        self.preset = get_preset(preset)
        self.settings = settings or DecodeSettings()
        choice = make_engine(weights, self.device, engine, precision)
        self.engine: Engine = choice.engine
        self.notes = (*weights.notes, *choice.notes)
        self._forward = ForwardPass(self.engine, self.device)
        self._inputs = InputMaker(weights.preprocessing.border(), weights.shift)

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
            name: see `pose.weights.load.load_weights`.
            device: "auto", "cpu" or "cuda".
            preset: "fast", "balanced" or "accurate".
            settings: decoder thresholds.
            preprocessing: overrules the checkpoint's own.
            weights_dir: folder of run directories.
            progress: called with a download's progress.
            engine: "auto", "torch" or "openvino"; see `pose.engines.choice.make_engine`.
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

    @property
    def network_runs(self) -> int:
        """Forward passes so far, for tests and status lines."""
        return self._forward.runs

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
            image: path, PIL image, or RGB array (H, W, 3); see `pose.images.load.load_image`.
            preset: other scales than the estimator's own.
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

        On CUDA photos whose network inputs have one size run together; on the CPU they run one
        after the other and give the same bytes.
        """
        preset = get_preset(preset) if preset else self.preset
        settings = self.settings.changed(**thresholds)
        inputs = [self.preprocess(image, preset) for image in images]
        return [finish() for finish in self._run_network(inputs, preset, settings, stages)]

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
            images: as for a call, or functions that return one; taken as they are needed.
            preset: other scales than the estimator's own.
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

        def preprocess(image: Photo | Callable[[], Photo]) -> NetworkInput | UserError:
            try:
                return self.preprocess(image() if callable(image) else image, preset)
            except UserError as error:
                return error

        def forward(
            batch: list[NetworkInput | UserError],
        ) -> list[Callable[[], PoseResult] | UserError]:
            good = [one for one in batch if isinstance(one, NetworkInput)]
            finish = iter(self._run_network(good, preset, settings))
            return [one if isinstance(one, UserError) else next(finish) for one in batch]

        def postprocess(finish: Callable[[], PoseResult] | UserError) -> PoseResult | UserError:
            return finish if isinstance(finish, UserError) else finish()

        inputs = ahead(preprocess, in_thread(images, size), threads, size + threads)
        answers = chain.from_iterable(map(forward, in_batches(inputs, size)))
        for result in ahead(postprocess, answers, 1 if size == 1 else threads, size):
            if isinstance(result, UserError) and not keep_errors:
                raise result
            yield result

    def decode(self, maps: FieldMaps, **thresholds: float) -> tuple[Person, ...]:
        """People from maps with other thresholds; the network does not run.

        See `PoseResult.decode` for a whole result.

        Raises:
            UserError: a threshold does not exist or is out of range.
        """
        return decode(maps, self.settings.changed(**thresholds))

    def preprocess(self, image: Photo, preset: str | Preset | None = None) -> NetworkInput:
        """A photo, loaded and resized to each scale of the preset."""
        return self._inputs.photo(image, get_preset(preset) if preset else self.preset)

    def forward(self, inputs: Sequence[NetworkInput], stages: bool = False) -> list[NetworkOutput]:
        """The averaged maps of each photo: the last stage's, or every stage's.

        Raises:
            OutOfMemory: not even a single photo fits into the device's memory.
        """
        return self._forward(inputs, stages)

    def postprocess(
        self, one: NetworkInput, output: NetworkOutput, settings: DecodeSettings | None = None
    ) -> PoseResult:
        """The people in the network's output."""
        start = perf_counter()
        settings = settings or self.settings
        maps = output.stages[-1]
        candidates = find_candidates(maps, settings)
        people = assemble_people(candidates, maps.grid, settings)
        return PoseResult(
            people,
            one.image,
            maps,
            candidates,
            settings,
            Timings(one.seconds, output.seconds, perf_counter() - start),
            decode_notes=candidates.notes,
            stages=output.stages if len(output.stages) > 1 else (),
            notes=self.notes,
        )

    def _run_network(
        self,
        inputs: Sequence[NetworkInput],
        preset: Preset,
        settings: DecodeSettings,
        stages: bool = False,
    ) -> list[Callable[[], PoseResult]]:
        """Runs the network; each function returned does what is left, in whichever thread."""
        outputs = self.forward(inputs, stages)
        finish: list[Callable[[], PoseResult]] = [
            partial(self.postprocess, one, output, settings)
            for one, output in zip(inputs, outputs, strict=True)
        ]
        if not preset.person_heights:
            return finish
        return run_crops([first() for first in finish], preset, self._inputs, self._forward)
