"""Angles and positions of a person over time, with a cursor that moves with the video."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from io import BytesIO

import numpy as np

from page.i18n.labels import keypoint_name, say
from page.tabs.video.clip import Clip
from pose.motion.angles import ANGLE_NAMES, body_angles
from pose.motion.curves import CurveSummary, summarize
from pose.skeleton import NUM_KEYPOINTS

COLORS = ("#4f46e5", "#d97706", "#059669", "#db2777", "#0891b2", "#7c3aed")
LINE = "#808890"
"""Readable on white and on dark."""

SIZE = (9.0, 2.8)
"""Inches at 100 dots."""

LEFT, RIGHT = 0.085, 0.97
"""Where the time axis begins and ends, as shares of the picture's width."""

RESTING_DEGREES = 10.0
RESTING_SHARE = 0.02
"""Ranges below which a curve is at rest: degrees, and of the frame's height."""

CURSOR_SCRIPT = """
const video = () => document.querySelector('#video-out video');
const place = () => {
  const curve = element.querySelector('.curve'), clip = video();
  if (curve && clip && clip.duration) {
    const from = +curve.dataset.left, to = +curve.dataset.right, end = +curve.dataset.end;
    const share = Math.min(1, clip.currentTime / end);
    curve.querySelector('i').style.left = 100 * (from + (to - from) * share) + '%';
  }
  if (element.isConnected) requestAnimationFrame(place);
};
place();
element.addEventListener('click', (event) => {
  const curve = event.target.closest('.curve'), clip = video();
  if (!curve || !clip) return;
  const box = curve.getBoundingClientRect();
  const from = +curve.dataset.left, to = +curve.dataset.right;
  const share = ((event.clientX - box.left) / box.width - from) / (to - from);
  clip.pause();
  clip.currentTime = Math.max(0, Math.min(1, share)) * +curve.dataset.end;
});
"""
"""JavaScript of the component that holds `curves_html`."""


def measures(language: str = "en") -> list[tuple[str, str]]:
    """What can be drawn: label and key, angles first, then each keypoint's x and y."""
    angles = [(say(f"angle_{name}", language), name) for name in ANGLE_NAMES]
    names = [(k, keypoint_name(k, language)) for k in range(NUM_KEYPOINTS)]
    return angles + [(f"{name}, {axis}", f"{axis}{k}") for k, name in names for axis in "xy"]


def curve(keypoints: np.ndarray, key: str) -> np.ndarray:
    """One curve of a person: (frames,), degrees or pixels, NaN where not known."""
    if key in ANGLE_NAMES:
        return body_angles(keypoints)[:, ANGLE_NAMES.index(key)]
    return keypoints[:, int(key[1:]), "xy".index(key[0])].astype(float)


def first_measures(keypoints: np.ndarray) -> list[str]:
    """The two angles that move most among those that are known for half of the frames."""
    angles = body_angles(keypoints)
    known = np.flatnonzero(np.isfinite(angles).mean(0) >= 0.5)
    moved = np.nanmax(angles[:, known], 0) - np.nanmin(angles[:, known], 0)
    best = known[np.argsort(-moved, kind="stable")[:2]]
    return [ANGLE_NAMES[i] for i in best] or [ANGLE_NAMES[0]]


def curves_html(clip: Clip, number: int, keys: Sequence[str], language: str = "en") -> str:
    """The curves of a person as a picture, and a table of their extremes and repetitions."""
    times = np.array([frame.time for frame in clip.frames])
    keypoints = clip.keypoints(number)
    curves = {key: curve(keypoints, key) for key in keys}
    names = {key: name for name, key in measures(language)}
    picture = base64.b64encode(plot(times, clip.end, curves)).decode()
    rest = {
        key: RESTING_DEGREES if key in ANGLE_NAMES else RESTING_SHARE * clip.size[0] for key in keys
    }
    rows = "".join(
        row(key, names[key], COLORS[i % len(COLORS)], summarize(times, values, rest[key]), language)
        for i, (key, values) in enumerate(curves.items())
    )
    columns = ("name", "min", "max", "range", "repetitions", "period")
    head = "".join(f"<th>{escape(say(f'curve_{column}', language))}</th>" for column in columns)
    alt = escape(", ".join(names[key] for key in keys))
    return (
        f'<div class="curve" data-left="{LEFT}" data-right="{RIGHT}" data-end="{clip.end:.3f}">'
        f'<img src="data:image/png;base64,{picture}" alt="{alt}"><i></i></div>'
        f'<div class="facts"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def row(key: str, name: str, color: str, summary: CurveSummary, language: str) -> str:
    """A curve's line of the table."""
    unknown = say("curve_unknown", language)
    numbers = [
        f"{value:.0f}{unit(key)}" if np.isfinite(value) else unknown
        for value in (summary.minimum, summary.maximum, summary.range)
    ]
    period = f"{summary.period:.2f}" if np.isfinite(summary.period) else "–"
    cells = "".join(f"<td>{text}</td>" for text in (*numbers, summary.repetitions or "–", period))
    return f'<tr><th><b style="color:{color}">●</b> {escape(name)}</th>{cells}</tr>'


def unit(key: str) -> str:
    """Of a curve's values: degrees or pixels."""
    return "°" if key in ANGLE_NAMES else " px"


def plot(times: np.ndarray, end: float, curves: dict[str, np.ndarray]) -> bytes:
    """Curves over time as a PNG without a background; angles and pixels have an axis each."""
    from matplotlib.figure import Figure  # takes a second, which the page would start later

    figure = Figure(SIZE, dpi=100)
    axes = figure.add_axes((LEFT, 0.14, RIGHT - LEFT, 0.8))
    pixels = any(key not in ANGLE_NAMES for key in curves)
    second = axes.twinx() if pixels and any(key in ANGLE_NAMES for key in curves) else axes
    for i, (key, values) in enumerate(curves.items()):
        target = axes if key in ANGLE_NAMES else second
        target.plot(times, values, color=COLORS[i % len(COLORS)], linewidth=2)
        target.yaxis.set_major_formatter(f"{{x:g}}{unit(key)}")
    for target in {axes, second}:
        target.set_xlim(0, max(end, 1e-3))
        target.xaxis.set_major_formatter("{x:g} s")
        target.tick_params(colors=LINE, labelsize=11)
        for spine in target.spines.values():
            spine.set_color(LINE)
    axes.grid(alpha=0.25)
    memory = BytesIO()
    figure.savefig(memory, format="png", transparent=True)  # for light and dark pages
    return memory.getvalue()
