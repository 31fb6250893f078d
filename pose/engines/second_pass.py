"""The second pass: every person's crop through the network, at the size it knows best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pose.decoding.field_maps import average_crop
from pose.decoding.second_pass import plan_crops
from pose.engines.forward import ForwardPass
from pose.engines.inputs import InputMaker
from pose.geometry import STRIDE
from pose.presets import Preset
from pose.results import PoseResult


def run_crops(
    results: Sequence[PoseResult], preset: Preset, inputs: InputMaker, forward: ForwardPass
) -> list[Callable[[], PoseResult]]:
    """Runs the crops of the first pass's results; each function returned decodes one of them."""
    plans = [
        plan_crops(
            result.people,
            result.image_size,
            preset,
            STRIDE / result.maps.grid.scale_x if len(preset.short_sides) == 1 else 0.0,
        )
        for result in results
    ]
    pairs = zip(results, plans, strict=True)
    outputs = iter(
        forward([inputs.crop(r.image, crop, preset) for r, plan in pairs for crop in plan.crops])
    )
    finish: list[Callable[[], PoseResult]] = []
    for result, plan in zip(results, plans, strict=True):
        own = [next(outputs) for _ in plan.crops]
        maps = tuple(
            average_crop(output.stages[-1], result.maps)
            if crop.average_first
            else output.stages[-1]
            for crop, output in zip(plan.crops, own, strict=True)
        )
        finish.append(partial(result.refined, plan, maps, sum(o.seconds for o in own)))
    return finish
