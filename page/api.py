"""The endpoints for other programs: /detect, /compare, /field_map. They keep no state."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import numpy as np

from page.components import photo_input, photo_name, toast
from page.events import MODEL_QUEUE
from page.models import DEFAULT_PRESET, DEFAULT_WEIGHTS, DEFAULTS, NO_WEIGHTS, Models
from page.photo.pictures import HEATMAP, STAGES, FieldChoice, draw_field
from page.photo.session import start_session
from page.report import comparison_report, detection_report
from pose import PRESETS, DecodeSettings, UserError, load_image
from pose.drawing.layers import ALL_KEYPOINTS, ALL_LIMBS

ALL_JOINTS = "all joints"
"""What /field_map calls "all keypoints" as well: its default from the beginning."""

P = ParamSpec("P")
R = TypeVar("R")


def user_errors(function: Callable[P, R]) -> Callable[P, R]:
    """A user's mistake reaches the caller as its one line."""

    @wraps(function)
    def wrapped(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except UserError as error:
            raise toast(error) from None

    return wrapped


class Endpoints:
    """The functions behind the endpoints; their docstrings are their documentation."""

    def __init__(self, models: Models) -> None:
        self.models = models

    @user_errors
    def detect(
        self,
        image: str,
        weights: str = DEFAULT_WEIGHTS,
        preset: str = DEFAULT_PRESET,
        peak_threshold: float = DEFAULTS.peak_threshold,
        limb_threshold: float = DEFAULTS.limb_threshold,
        min_parts: float = DEFAULTS.min_parts,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Finds the people in a photo and connects their 18 keypoints into skeletons.

        Args:
            image: The photo.
            weights: Name of the weights, for instance "mobilenet-thin".
            preset: "fast", "balanced" or "accurate".
            peak_threshold: Smallest confidence of a keypoint, 0 to 1.
            limb_threshold: Smallest strength of the part affinity field along a limb, 0 to 1.
            min_parts: Smallest number of keypoints of a person, 1 to 18.

        Returns:
            The photo with skeletons (PNG at the photo's size), and the people with every
            keypoint's name, x, y in pixels and score; x and y are null where it is missing.
        """
        settings = changed(peak_threshold, limb_threshold, min_parts)
        session = start_session(
            self.models,
            load_image(required(image)),
            photo_name(image),
            (weights, NO_WEIGHTS),
            preset,
            settings,
        )
        return session.a.result.draw(), detection_report(session, session.a)

    @user_errors
    def compare(
        self,
        image: str,
        weights_a: str = DEFAULT_WEIGHTS,
        weights_b: str = DEFAULT_WEIGHTS,
        preset: str = DEFAULT_PRESET,
        peak_threshold: float = DEFAULTS.peak_threshold,
        limb_threshold: float = DEFAULTS.limb_threshold,
        min_parts: float = DEFAULTS.min_parts,
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Runs two sets of weights on one photo.

        Args:
            image: The photo.
            weights_a: Name of the first weights.
            weights_b: Name of the second weights.
            preset: "fast", "balanced" or "accurate".
            peak_threshold: Smallest confidence of a keypoint, 0 to 1.
            limb_threshold: Smallest strength of the part affinity field along a limb, 0 to 1.
            min_parts: Smallest number of keypoints of a person, 1 to 18.

        Returns:
            The photo with A's skeletons, the photo with B's skeletons, and both results with, for
            every keypoint, how many people have it, its mean score and the mean distance in pixels.
        """
        settings = changed(peak_threshold, limb_threshold, min_parts)
        session = start_session(
            self.models,
            load_image(required(image)),
            photo_name(image),
            (weights_a, weights_b or weights_a),
            preset,
            settings,
            same_twice=True,
        )
        first, second = (side.result.draw() for side in session.sides)
        return first, second, comparison_report(session)

    @user_errors
    def field_map(
        self,
        image: str,
        weights: str = DEFAULT_WEIGHTS,
        kind: str = HEATMAP,
        channel: str = ALL_JOINTS,
        stage: float = STAGES,
        preset: str = DEFAULT_PRESET,
    ) -> np.ndarray:
        """Draws what the network computed: a heatmap or a part affinity field (PAF) over the photo.

        Args:
            image: The photo.
            weights: Name of the weights, for instance "mobilenet-thin".
            kind: "heatmap", or of a PAF "magnitude", "direction" or "arrows".
            channel: For a heatmap a keypoint, "background" or "all joints"; for a PAF a limb such
                as "neck – nose" (a hyphen between spaces will do) or "all limbs", which is also
                what the default means for a PAF.
            stage: 1, the first guess, to 6, the final answer.
            preset: "fast", "balanced" or "accurate".

        Returns:
            The picture with its colour scale, as PNG.
        """
        if channel in (ALL_JOINTS, ALL_KEYPOINTS):
            channel = ALL_KEYPOINTS if kind == HEATMAP else ALL_LIMBS
        choice = FieldChoice(kind, channel, whole(stage, STAGES, "stage"))
        session = start_session(
            self.models,
            load_image(required(image)),
            photo_name(image),
            (weights, NO_WEIGHTS),
            preset,
            DEFAULTS,
            stages=choice.stage < STAGES,
        )
        return draw_field(session.sides, session.a, choice)


def required(image: str | None) -> str:
    if not image:
        raise UserError("there is no photo: give an image file")
    return image


def changed(peak_threshold: float, limb_threshold: float, min_parts: float) -> DecodeSettings:
    return DEFAULTS.changed(
        peak_threshold=peak_threshold,
        limb_threshold=limb_threshold,
        min_parts=whole(min_parts, DEFAULTS.min_parts, "min_parts"),
    )


def whole(value: float | None, default: int, name: str) -> int:
    """A whole number from a caller, the default for None."""
    if value is None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{name} is a whole number, not {value!r}") from None


def api_endpoints(models: Models) -> None:
    """Adds the endpoints to the open `gr.Blocks`, with invisible components."""
    endpoints = Endpoints(models)
    with gr.Row(visible=False):
        image = photo_input(label="image")
        weights = gr.Textbox(DEFAULT_WEIGHTS, label="weights")
        weights_a = gr.Textbox(DEFAULT_WEIGHTS, label="weights_a")
        weights_b = gr.Textbox(DEFAULT_WEIGHTS, label="weights_b")
        preset = gr.Textbox(DEFAULT_PRESET, label=f"preset: {', '.join(PRESETS)}")
        thresholds = [
            gr.Number(DEFAULTS.peak_threshold, label="peak_threshold"),
            gr.Number(DEFAULTS.limb_threshold, label="limb_threshold"),
            gr.Number(DEFAULTS.min_parts, label="min_parts"),
        ]
        kind = gr.Textbox(HEATMAP, label="kind")
        channel = gr.Textbox(ALL_KEYPOINTS, label="channel")
        stage = gr.Number(STAGES, label="stage")
        overlay = gr.Image(format="png", label="overlay")
        second = gr.Image(format="png", label="overlay of B")
        picture = gr.Image(format="png", label="picture")
        answer = gr.JSON(label="people")
        trigger = gr.Button()
    add = trigger.click
    add(
        endpoints.detect,
        [image, weights, preset, *thresholds],
        [overlay, answer],
        api_name="detect",
        **MODEL_QUEUE,
    )
    add(
        endpoints.compare,
        [image, weights_a, weights_b, preset, *thresholds],
        [overlay, second, answer],
        api_name="compare",
        **MODEL_QUEUE,
    )
    add(
        endpoints.field_map,
        [image, weights, kind, channel, stage, preset],
        [picture],
        api_name="field_map",
        **MODEL_QUEUE,
    )
