"""What a user chooses by name: presets, engines, precisions. Known without importing PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from pose.errors import UserError

ENGINES = ("auto", "torch", "openvino")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Preset:
    """How much work to spend on a photo: the scales and the test-time augmentation.

    Attributes:
        short_sides: input sizes, pixels of the photo's shorter side; the maps are averaged.
        flip: also run the mirrored photo.
        person_heights: body heights, in input pixels, at which a crop around each person is run in
            a second pass; without any there is only one pass.
        crop_margin: of such a crop around the keypoints found so far, in body heights.
        same_scale: people whom the first pass saw within this factor of one of those heights are
            not run at it again; 1 runs every crop at every height.
    """

    name: str
    short_sides: tuple[int, ...]
    flip: bool = False
    person_heights: tuple[int, ...] = ()
    crop_margin: float = 0.33
    same_scale: float = 1.2


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("fast", (368,)),
        Preset("balanced", (368,), person_heights=(180, 320)),
        Preset(
            "accurate", (368,), True, person_heights=(180, 320), crop_margin=0.4, same_scale=1.0
        ),
    )
}
"""Chosen by measurement, see docs/accuracy.md."""


def get_preset(name: str | Preset) -> Preset:
    """A preset by its name.

    Raises:
        UserError: no preset has that name.
    """
    if isinstance(name, Preset):
        return name
    if name not in PRESETS:
        raise UserError(f"no preset is called {name!r}: choose {', '.join(PRESETS)}")
    return PRESETS[name]
