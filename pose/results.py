"""What an estimator returns for one photo."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from pose.decoding.decode import Candidates, DecodeSettings, assemble_people, find_candidates
from pose.decoding.field_maps import FieldMaps
from pose.decoding.second_pass import NO_CROPS, Plan, merge_people
from pose.drawing.settings import DrawSettings
from pose.drawing.skeletons import draw_people
from pose.export import coco_results, openpose_json, person_dict
from pose.person import Person


@dataclass(frozen=True)
class Timings:
    """Seconds spent in each step."""

    preprocess: float
    network: float
    decode: float

    @property
    def total(self) -> float:
        return self.preprocess + self.network + self.decode


@dataclass(frozen=True)
class PoseResult:
    """The people in one photo and everything behind them.

    Attributes:
        people: found people, best score first.
        image: the photo, RGB uint8 (H, W, 3).
        maps: the last stage's maps, which the people were decoded from.
        candidates: the keypoint and limb candidates that the people were assembled from.
        settings: the decoder's thresholds.
        timings: seconds per step.
        decode_notes: sentences for the user on this decoding, for instance that a limit was
            reached.
        stages: the maps of every stage, first to last; empty unless asked for.
        notes: sentences for the user on the weights and the engine.
        plan: the crops of a second pass, each around people of one size.
        crop_maps: the maps of each crop.
    """

    people: tuple[Person, ...]
    image: np.ndarray
    maps: FieldMaps
    candidates: Candidates
    settings: DecodeSettings
    timings: Timings
    decode_notes: tuple[str, ...] = ()
    stages: tuple[FieldMaps, ...] = ()
    notes: tuple[str, ...] = ()
    plan: Plan = NO_CROPS
    crop_maps: tuple[FieldMaps, ...] = ()

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the photo in pixels."""
        return (self.image.shape[0], self.image.shape[1])

    def decode(self, settings: DecodeSettings | None = None, **thresholds: float) -> PoseResult:
        """This photo decoded again with other thresholds; the network does not run.

        After a second pass its crops are decoded again too; they stay those around the people that
        the first decoding found.

        Args:
            settings: instead of this result's own.
            thresholds: fields of `DecodeSettings` to change.

        Raises:
            UserError: a threshold does not exist or is out of range.
        """
        settings = (settings or self.settings).changed(**thresholds)
        start = perf_counter()
        candidates = find_candidates(self.maps, settings)
        result = replace(
            self,
            people=assemble_people(candidates, self.maps.grid, settings),
            candidates=candidates,
            settings=settings,
            decode_notes=candidates.notes,
            timings=replace(self.timings, decode=perf_counter() - start),
        )
        return result.refined(self.plan, self.crop_maps)

    def refined(
        self, plan: Plan, crop_maps: tuple[FieldMaps, ...], network_seconds: float = 0.0
    ) -> PoseResult:
        """This result of a first pass with the people of a second one merged in.

        Args:
            plan: the crops.
            crop_maps: their maps.
            network_seconds: time that the network took for them.
        """
        start = perf_counter()
        found = [find_candidates(maps, self.settings) for maps in crop_maps]
        people = [
            assemble_people(candidates, maps.grid, self.settings)
            for candidates, maps in zip(found, crop_maps, strict=True)
        ]
        notes = (note for candidates in found for note in candidates.notes)
        spent = self.timings
        return replace(
            self,
            people=merge_people(self.people, plan.crops, people) if people else self.people,
            plan=plan,
            crop_maps=crop_maps,
            decode_notes=tuple(dict.fromkeys((*self.decode_notes, *plan.notes, *notes))),
            timings=replace(
                spent,
                network=spent.network + network_seconds,
                decode=spent.decode + perf_counter() - start,
            ),
        )

    def draw(self, **options: Any) -> np.ndarray:
        """The photo with its skeletons, RGB uint8 (H, W, 3).

        Args:
            options: fields of `pose.drawing.skeletons.DrawSettings`.

        Raises:
            UserError: an option is out of range.
        """
        return draw_people(self.image, self.people, DrawSettings(**options))

    def to_coco(self, image_id: int = 1, file_name: str = "") -> list[dict]:
        """The people as COCO keypoint results; see `pose.export.coco_results`."""
        return coco_results(self.people, image_id, file_name)

    def to_openpose(self) -> dict:
        """The people in OpenPose's JSON layout; see `pose.export.openpose_json`."""
        return openpose_json(self.people, image_size=self.image_size)

    def to_dict(self) -> dict:
        """People, image size, timings and notes as plain numbers, lists and names for JSON."""
        height, width = self.image_size
        return {
            "image_size": {"width": width, "height": height},
            "people": [person_dict(p, number) for number, p in enumerate(self.people, 1)],
            "timings": asdict(self.timings),
            "notes": [*self.notes, *self.decode_notes],
        }
