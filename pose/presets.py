"""How much work to spend on a photo."""

from __future__ import annotations

from dataclasses import dataclass

from pose.errors import UserError


@dataclass(frozen=True)
class Preset:
    """The network's views of a photo.

    Attributes:
        short_sides: input sizes, pixels of the photo's shorter side; the maps are averaged.
        flip: also look at the mirrored photo.
    """

    name: str
    short_sides: tuple[int, ...]
    flip: bool = False


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("fast", (368,)),
        Preset("balanced", (276, 460)),
        Preset("accurate", (276, 644), flip=True),
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
