"""The sliders of the decoder's thresholds, and the one slider that moves two of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import gradio as gr

from page.events import Updates, Values
from page.i18n.labels import label
from page.models import DEFAULTS
from pose import DecodeSettings
from pose.skeleton import NUM_KEYPOINTS

PEAK_SHARE = DEFAULTS.peak_threshold / DEFAULTS.min_score
"""A keypoint may be that much less sure than a person's mean."""

LEAST, MOST = 0.01, 0.9


@dataclass(frozen=True)
class ThresholdSliders:
    """A slider for each threshold, named as in `DecodeSettings`."""

    peak_threshold: gr.Slider
    limb_threshold: gr.Slider
    samples_needed: gr.Slider
    min_parts: gr.Slider
    min_score: gr.Slider

    @property
    def all(self) -> dict[str, gr.Slider]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def settings(self, values: Values) -> DecodeSettings:
        """Decoder settings from the sliders' values.

        Raises:
            UserError: a value is out of range.
        """
        return DEFAULTS.changed(
            peak_threshold=values[self.peak_threshold],
            limb_threshold=values[self.limb_threshold],
            samples_needed=int(values[self.samples_needed]),
            min_parts=int(values[self.min_parts]),
            min_score=values[self.min_score],
        )

    def be_sure(self, sure: float) -> Updates:
        """The thresholds of people and keypoints from the slider "how sure"."""
        peak = round(min(MOST, max(LEAST, sure * PEAK_SHARE)), 2)
        return {self.min_score: sure, self.peak_threshold: peak}


def sure_slider() -> gr.Slider:
    """The slider "how sure", under the canvas."""
    return gr.Slider(
        0,
        MOST,
        value=DEFAULTS.min_score,
        step=0.01,
        label=label("sure"),
        elem_id="sure",
        min_width=200,
        buttons=[],
    )


def threshold_sliders() -> ThresholdSliders:
    """Builds the sliders inside the open `gr.Blocks`."""

    def slider(name: str, low: float, high: float, step: float) -> gr.Slider:
        return gr.Slider(
            low,
            high,
            value=getattr(DEFAULTS, name),
            step=step,
            label=label(name),
            elem_id=name.replace("_", "-"),
            min_width=200,
            buttons=[],
        )

    return ThresholdSliders(
        slider("peak_threshold", LEAST, MOST, 0.01),
        slider("limb_threshold", LEAST, MOST, 0.01),
        slider("samples_needed", 1, DEFAULTS.limb_samples, 1),
        slider("min_parts", 1, NUM_KEYPOINTS, 1),
        slider("min_score", 0.0, MOST, 0.01),
    )
