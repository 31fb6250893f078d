"""How skeletons are drawn: what, in which colours, how wide."""

from __future__ import annotations

from dataclasses import dataclass

from pose.errors import UserError

PALETTES = ("openpose", "sides")
WIDTHS = ("person", "median", "controlnet")


@dataclass(frozen=True)
class DrawSettings:
    """How `draw_people` draws.

    Attributes:
        face: draw eyes, ears and their limbs; the nose is always drawn.
        ids: number each person, from 1.
        boxes: draw a box around each person's found keypoints.
        dim: how much to darken the photo, 0 to 1.
        black: draw on black instead of the photo, as ControlNet expects.
        highlight: index of the person to emphasise by fading the others; None, or an index out of
            range, emphasises nobody.
        palette: "openpose", a colour per limb, or "sides", blue for left and orange for right.
        confidence: draw limbs and keypoints of low score thinner and fainter.
        width: of limbs: "person" follows each person's size, "median" that of the median person,
            and "controlnet" is what ControlNet was trained on, 8 pixels where the picture's
            shorter side has 512, with limbs as ellipses.
    """

    face: bool = True
    ids: bool = False
    boxes: bool = False
    dim: float = 0.0
    black: bool = False
    highlight: int | None = None
    palette: str = "openpose"
    confidence: bool = False
    width: str = "person"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("palette", self.palette, PALETTES),
            ("width", self.width, WIDTHS),
        ):
            if value not in known:
                raise UserError(f"no {name} is called {value!r}: choose {', '.join(known)}")
        if not 0 <= self.dim <= 1:
            raise UserError(f"dim must be between 0 and 1, not {self.dim}")


CONTROLNET = DrawSettings(black=True, width="controlnet")
