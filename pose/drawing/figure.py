"""A photo with a heading and a legend: layout, arrows, colour bar, colour wheel."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from pose.drawing.tinting import COLORS, hues, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

MIN_WIDTH, MAX_SIDE = 800, 2000
"""Pixels of the photo in a figure: narrow photos are enlarged, huge ones reduced."""

MIN_COLUMN = 480
"""Pixels between the left margin and the legend: a tall photo's heading needs them."""

DPI = 100
POINTS = 72 / DPI
"""Matplotlib's points per pixel."""


@dataclass(frozen=True)
class Layout:
    """Where everything lies in a figure, in pixels from its upper left corner.

    Attributes:
        scale: figure pixels per photo pixel.
        photo: (height, width) of the photo in the figure.
        left, top: the photo's upper left corner.
        text: font size.
        width, height: of the figure.
        legend: left edge of the legend.
    """

    scale: float
    photo: tuple[int, int]
    left: int
    top: int
    text: int
    width: int
    height: int
    legend: float

    @property
    def photo_window(self) -> tuple[slice, slice]:
        """The photo's rows and columns in the figure."""
        height, width = self.photo
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def box(
        self, left: float, top: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """A rectangle in Matplotlib's units: fractions, from the lower left corner."""
        bottom = self.height - top - height
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def layout_of(image: np.ndarray) -> Layout:
    """The layout for a photo, which keeps its resolution unless it is narrow or huge."""
    height, width = image.shape[:2]
    scale = min(max(1.0, MIN_WIDTH / width), MAX_SIDE / max(height, width))
    photo = max(1, round(height * scale)), max(1, round(width * scale))
    text = margin = round(float(np.clip(photo[1] / 48, 13, 30)))
    column = max(photo[1], MIN_COLUMN)
    return Layout(
        scale=scale,
        photo=photo,
        left=margin + (column - photo[1]) // 2,
        top=round(2.6 * text),
        text=text,
        width=margin + column + 9 * text,
        height=round(2.6 * text) + max(photo[0], 8 * text) + margin,
        legend=margin + column + 1.2 * text,
    )


def new_figure(layout: Layout, title: str) -> Figure:
    """A transparent figure with a heading; its axes measure pixels of the photo in the figure."""
    from matplotlib.figure import Figure

    # A little more, because Matplotlib before 3.11 rounds 969.99… pixels down.
    size = (layout.width + 0.01) / DPI, (layout.height + 0.01) / DPI
    figure = Figure(figsize=size, dpi=DPI, facecolor="none")
    height, width = layout.photo
    axes = figure.add_axes(layout.box(layout.left, layout.top, width, height))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    figure.text(
        (layout.left + width / 2) / layout.width,
        1 - layout.top / 2 / layout.height,
        title,
        ha="center",
        va="center",
        fontsize=1.15 * layout.text * POINTS,
        parse_math=False,
    )
    return figure


def rendered(figure: Figure, layout: Layout, photo: np.ndarray) -> np.ndarray:
    """The figure over the photo and a white margin, RGB uint8 (h, w, 3).

    The photo is put in here because Matplotlib's images take 100 bytes per pixel.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = np.asarray(canvas.buffer_rgba())
    picture = np.full((*ink.shape[:2], 3), 255, np.uint8)
    picture[layout.photo_window] = photo
    inked = ink[..., 3] > 0
    opacity = ink[inked, 3:] / 255
    picture[inked] = np.round(ink[inked, :3] * opacity + picture[inked] * (1 - opacity))
    return picture


def color_bar(
    figure: Figure, layout: Layout, low: float, high: float, label: str, colors: str = COLORS
) -> None:
    """Adds a colour scale to the right of the photo, by default that of `colored`."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    height = max(layout.photo[0], 8 * layout.text)
    axes = figure.add_axes(layout.box(layout.legend, layout.top, layout.text, height))
    bar = figure.colorbar(ScalarMappable(Normalize(low, high), colors), cax=axes)
    bar.set_label(label, fontsize=layout.text * POINTS)
    bar.ax.tick_params(labelsize=0.9 * layout.text * POINTS)
    bar.outline.set_visible(False)


def color_wheel(figure: Figure, layout: Layout, high: float) -> None:
    """Adds a disc with the colour of every direction, and the length that its rim means."""
    side = round(5.8 * layout.text)
    left, top = layout.legend + 0.6 * layout.text, layout.top + 1.6 * layout.text
    axes = figure.add_axes(layout.box(left, top, side, side))
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
    for text, x_at, y_at, rotation in (
        ("up", 0, -1.18, 0),
        ("down", 0, 1.18, 0),
        ("left", -1.2, 0, 90),
        ("right", 1.2, 0, 270),
        (f"rim: length {high:.2f}", 0, 1.6, 0),
    ):
        axes.text(
            x_at,
            y_at,
            text,
            ha="center",
            va="center",
            fontsize=0.85 * layout.text * POINTS,
            rotation=rotation,
        )


def freed(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorates a function so that the figures it made are freed when it returns.

    Matplotlib's objects refer to each other and to the canvas's pixels, 12 MB or more, which would
    stay until Python's next full garbage collection. Without collections in between they are
    still in the youngest generation, which is quick to collect.
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
