"""The parts of a figure over a photo: layout, heading, arrows and legends."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from pose.geometry import Grid
from pose.tinting import COLORS, hues, tint

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

MIN_WIDTH, MAX_SIDE = 800, 2000
"""Pixels of the photo in a figure: small photos are enlarged, huge ones made smaller."""

NARROWEST = 480
"""Pixels a figure's middle has at least, for the heading of a tall photo."""

DPI = 100
POINTS = 72 / DPI
"""Matplotlib's points to a pixel."""

ARROW_COLORS = "plasma"  # its dark end is still seen on a dimmed photo

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


def new_figure(layout: Layout, picture: np.ndarray, title: str) -> Figure:
    """A figure with `picture` pixel by pixel and a heading; its axes count figure pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(layout.width / DPI, layout.height / DPI), dpi=DPI, facecolor="white")
    height, width = layout.photo
    axes = figure.add_axes(layout.box(layout.left, layout.top, width, height))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    axes.add_artist(pixels(picture, layout.left, layout.height - layout.top - height))
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


def pixels(picture: np.ndarray, left: int, bottom: int) -> Artist:
    """RGB uint8 as it is, in pixels from the figure's lower left corner.

    Matplotlib's own images pass through floats and copies, 100 bytes for each pixel.
    """
    from matplotlib.artist import Artist

    class Pixels(Artist):
        def draw(self, renderer: RendererAgg) -> None:
            opaque = np.full(picture.shape[:2], 255, np.uint8)
            context = renderer.new_gc()
            # The renderer takes the lowest row first.
            renderer.draw_image(context, left, bottom, np.dstack([picture[::-1], opaque]))
            context.restore()

    artist = Pixels()
    artist.set_zorder(0)
    return artist


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


def freed(draw: Callable[P, R]) -> Callable[P, R]:
    """A function whose figures are freed when it returns.

    Matplotlib's objects hold each other, and with them the canvas's pixels: 12 MB that would stay
    until Python next looks through all its objects. Kept young, they are found at once.
    """

    @wraps(draw)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> R:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return draw(*args, **kwargs)
        finally:
            gc.collect(0)
            if collecting:
                gc.enable()

    return drawing


def rendered(figure: Figure) -> np.ndarray:
    """The figure as RGB uint8 (h, w, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
