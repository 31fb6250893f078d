"""The bundled weights keep their accuracy."""

from train.data.coco import read_coco
from train.evaluation.ground_truth import choose_images
from train.evaluation.measure import evaluate_images

IMAGES = (
    1490, 2431, 5529, 6763, 8844, 13177, 57597, 105912, 129062, 147740,
    177861, 196141, 311002, 312720, 329323, 347254, 375278, 463690, 531134, 541055,
)  # fmt: skip
"""Drawn once from the slice of val2017; a change of them would make the figure below void."""

AP_AT_LEAST = 0.405
"""Measured: 0.418 in bf16, 0.446 in fp32. Raise it when the decoder or the preset gets better."""


def test_ap_does_not_fall(coco_val, estimator):
    chosen = choose_images(read_coco(coco_val.annotations, coco_val.images), IMAGES)
    metrics = evaluate_images(estimator, chosen, preset="balanced")
    assert len(metrics.image_ids) == 20
    assert metrics.score.people == 65
    assert metrics.ap >= AP_AT_LEAST
