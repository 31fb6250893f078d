"""The parts of a figure over a photo: layout, upsampled fields, colours and legends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pose.geometry import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIN_WIDTH, MAX_SIDE = 800, 2000
"""Pixels of the photo in a figure: small photos are enlarged, huge ones made smaller."""

NARROWEST = 480
"""Pixels a figure's middle has at least, for the heading of a tall photo."""

DPI = 100
POINTS = 72 / DPI
"""Matplotlib's points to a pixel."""

COLORS = "inferno"
ARROW_COLORS = "plasma"  # its dark end is still seen on a dimmed photo

OPACITY = 0.9
"""How much a full field covers of the photo."""

LEAST_ARROW = 0.15
"""Vectors shorter than this share of the scale get no arrow."""

ARROW_SPACING = 11
"""Pixels from arrow to arrow at least."""


@dataclass(frozen=True)
class Layout:
    """Where things lie in a figure, in pixels from its upper left corner.

    Attributes:
        scale: figure pixels a photo pixel.
        photo: (height, width) of the photo in the figure.
        left, top: its upper left corner.
        text: size of letters.
        width, height: of the figure.
    """

    scale: float
    photo: tuple[int, int]
    left: int
    top: int
    text: int
    width: int
    height: int

    def box(self, left: float, top: float, width: float, height: float) -> list[float]:
        """A rectangle in pixels from the upper left, in Matplotlib's shares from the lower left."""
        bottom = self.height - top - height
        return [
            left / self.width,
            bottom / self.height,
            width / self.width,
            height / self.height,
        ]


def layout_of(image: np.ndarray) -> Layout:
    """The layout that shows the photo pixel by pixel, if it is neither small nor huge."""
    height, width = image.shape[:2]
    scale = min(max(1.0, MIN_WIDTH / width), MAX_SIDE / max(height, width))
    photo = max(1, round(height * scale)), max(1, round(width * scale))
    text = round(float(np.clip(photo[1] / 48, 13, 30)))
    room = max(photo[1], NARROWEST)
    margin = text
    return Layout(
        scale=scale,
        photo=photo,
        left=margin + (room - photo[1]) // 2,
        top=round(2.6 * text),
        text=text,
        width=margin + room + 9 * text,
        height=round(2.6 * text) + max(photo[0], 8 * text) + margin,
    )


def upsample(field: np.ndarray, grid: Grid, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) over the whole photo as (height, width) float32, by cubic interpolation.

    Cells in the padding lie outside the photo and so outside the result.
    """
    height, width = size
    photo_height, photo_width = grid.image_size
    columns = (np.arange(width) + 0.5) * photo_width / width / grid.scale_x - 0.5
    rows = (np.arange(height) + 0.5) * photo_height / height / grid.scale_y - 0.5
    down = cubic_weights(rows, field.shape[0])
    across = cubic_weights(columns, field.shape[1])
    return down @ field.astype(np.float32) @ across.T


def cubic_weights(positions: np.ndarray, count: int) -> np.ndarray:
    """float32 (n, count): Catmull-Rom weights of `count` samples at n places, edges repeated.

    Source: Keys, "Cubic convolution interpolation", 1981, with a = -1/2.
    """
    first = np.floor(positions).astype(int)
    weights = np.zeros((len(positions), count), np.float32)
    for tap in range(-1, 3):
        d = np.abs(positions - first - tap)
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        index = np.clip(first + tap, 0, count - 1)
        np.add.at(weights, (np.arange(len(positions)), index), np.where(d <= 1, near, far))
    return weights


def dimmed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The photo at the figure's size, RGB uint8, greyer and darker, so that colours mean the field.

    At its own size every pixel stays where it is.
    """
    height, width = size
    shrinking = height < image.shape[0]
    if image.shape[:2] != size:
        image = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        )
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return cv2.addWeighted(image, 0.2, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 0.48, 22)


def colored(strength: np.ndarray) -> np.ndarray:
    """0..1 (H, W) → RGB uint8 (H, W, 3) in the colours of the colour bar."""
    return color_table(COLORS)[level(strength)]


def hues(angle: np.ndarray) -> np.ndarray:
    """Angles in radians → RGB uint8: right is red, then with the clock yellow, green, blue."""
    return color_table("hsv")[level(angle / (2 * np.pi) % 1)]


def level(strength: np.ndarray) -> np.ndarray:
    return (np.clip(strength, 0, 1) * 255).astype(np.uint8)


@lru_cache
def color_table(name: str) -> np.ndarray:
    """RGB uint8 (256, 3) of a Matplotlib colour map."""
    from matplotlib import colormaps

    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def tint(
    photo: np.ndarray, colors: np.ndarray, strength: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """The photo with colours over it, RGB uint8 (H, W, 3).

    `strength` (H, W) from 0 to 1 says how much of `opacity` there is.
    """
    share = (opacity * np.clip(strength, 0, 1)).astype(np.float32)[..., None]
    return (photo + (colors.astype(np.float32) - photo) * share).round().astype(np.uint8)


def strongest(
    pairs: np.ndarray, grid: Grid, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Of several vector fields (n, 2, h, w) the longest vector at every pixel, as x and y."""
    x, y, squared = (np.zeros(size, np.float32) for _ in range(3))
    for pair in pairs:
        other_x, other_y = (upsample(plane, grid, size) for plane in pair)
        other_squared = other_x * other_x + other_y * other_y
        longer = other_squared > squared
        for kept, other in ((x, other_x), (y, other_y), (squared, other_squared)):
            np.copyto(kept, other, where=longer)
    return x, y


def new_figure(layout: Layout, picture: np.ndarray, title: str) -> Figure:
    """A figure with `picture` pixel by pixel and a heading; its axes count figure pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(layout.width / DPI, layout.height / DPI), dpi=DPI, facecolor="white")
    height, width = layout.photo
    axes = figure.add_axes(layout.box(layout.left, layout.top, width, height))
    axes.imshow(
        picture, interpolation="nearest", extent=(0, width, height, 0), aspect="auto", zorder=0
    )
    axes.set_axis_off()
    middle = layout.left + width / 2
    figure.text(
        middle / layout.width,
        1 - layout.top / 2 / layout.height,
        title,
        ha="center",
        va="center",
        fontsize=1.15 * layout.text * POINTS,
        parse_math=False,
    )
    return figure


def color_bar(
    figure: Figure, layout: Layout, low: float, high: float, label: str, colors: str = COLORS
) -> None:
    """Adds a colour scale at the right of the photo, by default that of `colored`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    left = legend_left(layout)
    height = max(layout.photo[0], 8 * layout.text)
    axes = figure.add_axes(layout.box(left, layout.top, layout.text, height))
    bar = figure.colorbar(ScalarMappable(Normalize(low, high), colors), cax=axes)
    bar.set_label(label, fontsize=layout.text * POINTS)
    bar.ax.tick_params(labelsize=0.9 * layout.text * POINTS)
    bar.outline.set_visible(False)


def color_wheel(figure: Figure, layout: Layout, high: float) -> None:
    """Adds a disc with the colour of every direction as seen on the photo, and its radius."""
    side = round(5.8 * layout.text)
    left = legend_left(layout) + 0.6 * layout.text
    axes = figure.add_axes(layout.box(left, layout.top + 1.6 * layout.text, side, side))
    x, y = np.meshgrid(*[(np.arange(side) + 0.5) / side * 2 - 1] * 2)
    radius = np.hypot(x, y)
    disc = tint(np.full((side, side, 3), 90, np.uint8), hues(np.arctan2(y, x)), radius)
    edge = np.clip((1 - radius) * side / 2, 0, 1)[..., None]
    axes.imshow(
        (disc * edge + 255 * (1 - edge)).round().astype(np.uint8),
        extent=(-1, 1, 1, -1),
        interpolation="nearest",
    )
    axes.set_axis_off()
    size = 0.85 * layout.text * POINTS
    names = {"up": (0, -1.18), "down": (0, 1.18), "left": (-1.2, 0), "right": (1.2, 0)}
    for name, (at_x, at_y) in names.items():
        sideways = name in ("left", "right")
        axes.text(
            at_x,
            at_y,
            name,
            ha="center",
            va="center",
            fontsize=size,
            rotation={"left": 90, "right": 270}.get(name, 0) if sideways else 0,
            clip_on=False,
        )
    axes.text(0, 1.6, f"rim: length {high:.2f}", ha="center", va="center", fontsize=size)


def arrows(
    axes: Axes, field: np.ndarray, grid: Grid, layout: Layout, low: float, high: float
) -> None:
    """Adds an arrow for every cell on the photo whose vector is long enough.

    Args:
        axes: of `new_figure`.
        field: x and y, (2, h, w).
        low, high: the colour scale of the length.
    """
    rows, columns = grid.used_cells
    cell = min(grid.scale_x, grid.scale_y) * layout.scale
    step = max(1, round(ARROW_SPACING / cell))
    ys, xs = np.mgrid[0:rows:step, 0:columns:step]
    ys, xs = ys.ravel(), xs.ravel()
    x, y = field[:, ys, xs]
    length = np.hypot(x, y)
    shown = length > LEAST_ARROW * high
    places = (grid.to_image(np.stack([xs, ys], 1)[shown]) + 0.5) * layout.scale
    reach = 1.35 * cell * step / high
    axes.quiver(
        places[:, 0],
        places[:, 1],
        x[shown] * reach,
        y[shown] * reach,
        length[shown],
        cmap=ARROW_COLORS,
        clim=(low, high),
        angles="xy",
        scale_units="xy",
        scale=1,
        units="dots",
        width=max(1.5, 0.14 * cell * step),
        pivot="mid",
        zorder=2,
    )
    height, width = layout.photo
    axes.set(xlim=(0, width), ylim=(height, 0))


def legend_left(layout: Layout) -> float:
    room = max(layout.photo[1], NARROWEST)
    return layout.text + room + 1.2 * layout.text


def rendered(figure: Figure) -> np.ndarray:
    """The figure as RGB uint8 (h, w, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
