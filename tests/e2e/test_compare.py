"""Two sets of weights on one photo, with and without the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from page_driver import (
    PATIENCE,
    choose,
    open_accordion,
    people_count,
    pixels,
    set_number,
    source_of,
    status_of,
    upload_and_wait,
    view,
    wait_for_another,
)
from places import EXAMPLES
from playwright.sync_api import expect

from page.images import for_screen, scaled
from pose import PoseEstimator, PoseResult, load_image
from pose.drawing import DrawSettings, draw_people

PHOTO = EXAMPLES / "group.jpg"
ON_PAGE = {"palette": "sides", "confidence": True, "width": "median"}


def shown(result: PoseResult) -> np.ndarray:
    """The skeletons as the canvas shows them."""
    photo = for_screen(result.image)
    people = scaled(result.people, photo.shape[1] / result.image.shape[1])
    return draw_people(photo, people, DrawSettings(**ON_PAGE))


@pytest.fixture(scope="module")
def second(served, second_weights) -> PoseEstimator:
    return PoseEstimator.from_pretrained(
        second_weights, device="cpu", weights_dir=served.models.weights_dir
    )


def test_a_finished_run_is_compared(opened, served, second_weights, second, estimator, artifacts):
    view(opened, "Compare")
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    opened.click("#refresh")
    opened.wait_for_timeout(1500)
    choose(opened, "weights-b", second_weights)
    expect(opened.locator("#status")).to_contain_text(f"B {second_weights}", timeout=PATIENCE)
    a, b = estimator(PHOTO), second(PHOTO)
    assert people_count(len(a.people)) in status_of(opened).split("·")[0]
    assert people_count(len(b.people)) in status_of(opened).split("·")[1]

    expect(opened.locator("#comparison img")).to_have_count(2)
    facts = opened.locator("#facts")
    expect(facts).to_contain_text("mean keypoint score")
    scores = np.concatenate([p.keypoints[p.found, 2] for p in b.people])
    expect(facts).to_contain_text(f"{scores.mean():.3f}")
    facts.locator("summary").click()
    expect(facts.locator("details tbody tr")).to_have_count(18)
    opened.locator("#desk").screenshot(path=artifacts / "compare-1280.png")

    opened.locator("#compare-mode").get_by_text("side by side").click()
    expect(opened.locator("#compare-picture img")).to_be_visible(timeout=PATIENCE)
    expected = np.concatenate([shown(a), np.full((shown(a).shape[0], 8, 3), 128), shown(b)], 1)
    difference = pixels(opened, "#compare-picture img").astype(int) - expected
    assert np.abs(difference).mean() < 3  # JPEG
    opened.locator("#compare-mode").get_by_text("differing keypoints").click()
    legend = opened.locator("#compare-mode").get_by_text("keypoints differ: A yellow, B pink.")
    expect(legend).to_be_visible(timeout=PATIENCE)

    before = source_of(opened, "#skeleton img")
    view(opened, "Skeletons")
    opened.locator("#side").get_by_text("B", exact=True).click()
    wait_for_another(opened, "#skeleton img", before)
    opened.wait_for_timeout(1000)
    assert np.abs(pixels(opened, "#skeleton img").astype(int) - shown(b)).mean() < 3
    open_accordion(opened, "keypoints")
    x = f"{b.people[0].keypoints[0, 0]:.2f}".rstrip("0").rstrip(".")
    expect(opened.locator("#people")).to_contain_text(x, timeout=PATIENCE)


def test_compare_runs_b_once_and_a_threshold_neither(opened, served):
    view(opened, "Compare")
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    ran = served.models.network_runs()
    view(opened, "Skeletons")
    view(opened, "Compare")
    set_number(opened, "sure", 0.3)
    expect(opened.locator("#status")).to_contain_text("network not run", timeout=PATIENCE)
    assert opened.locator("#status .card").text_content().count("network not run") == 2
    assert served.models.network_runs() == ran


def test_the_line_between_the_pictures_can_be_dragged(opened):
    view(opened, "Compare")
    slider = opened.locator("#comparison")
    handle = slider.get_by_test_id("slider").locator(".icon-wrap")
    handle.wait_for()
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    opened.wait_for_timeout(1000)
    before = handle.bounding_box()
    opened.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(before["x"] - 120, before["y"] + before["height"] / 2, steps=8)
    opened.mouse.up()
    assert handle.bounding_box()["x"] < before["x"] - 60


def test_what_cannot_be_compared_is_said_and_a_stays(opened, served, second_weights):
    view(opened, "Compare")
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    opened.click("#refresh")
    opened.wait_for_timeout(1500)
    damaged = Path(served.models.weights_dir) / second_weights / "weights.safetensors"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:1000])
    try:
        choose(opened, "weights-b", second_weights)
        expect(opened.locator("#status")).to_contain_text("B cannot be compared", timeout=PATIENCE)
    finally:
        damaged.write_bytes(whole)
    assert "8 people" in status_of(opened)
    assert str(damaged.parent.parent) not in status_of(opened)
    choose(opened, "weights-b", opened.locator("#weights-a input").input_value())
    expect(opened.locator("#status")).to_contain_text("the same weights", timeout=PATIENCE)


def test_compare_endpoint_with_two_weights(served, second_weights, second, estimator):
    client = Client(served.url, verbose=False)
    photo = EXAMPLES / "astronaut.jpg"
    _, overlay, answer = client.predict(
        handle_file(str(photo)), weights_b=second_weights, api_name="/compare"
    )
    a, b = estimator(photo), second(photo)
    np.testing.assert_array_equal(load_image(overlay), draw_people(load_image(photo), b.people))
    for name, result in (("a", a), ("b", b)):
        scores = np.concatenate([p.keypoints[p.found, 2] for p in result.people])
        assert answer[name]["mean_score"] == pytest.approx(scores.mean(), abs=1e-3)
    for k, row in enumerate(answer["joints"]):
        found = [bool(p.found[k]) for p in b.people]
        assert row["found_b"] == sum(found)
        if len(a.people) == len(b.people) == 1:
            one, other = a.people[0].keypoints[k, :2], b.people[0].keypoints[k, :2]
            apart = float(np.hypot(*(one - other)))
            assert (row["distance"] is None) == bool(np.isnan(apart))
            assert np.isnan(apart) or row["distance"] == pytest.approx(apart, abs=0.01)


def test_the_truth_is_drawn_and_scored(opened, served, coco_val, estimator, monkeypatch, artifacts):
    from page.photo.ground_truth import GroundTruth, oks_per_person

    truth = GroundTruth(coco_val.annotations)
    monkeypatch.setattr(served.models, "ground_truth", truth)
    name = "000000000785.jpg"
    if not (coco_val.images / name).is_file():
        name = sorted(p.name for p in coco_val.images.glob("*.jpg"))[1]
    upload_and_wait(opened, coco_val.images / name)
    people = estimator(coco_val.images / name).people
    values = oks_per_person(people, truth.of(name))
    view(opened, "Compare")
    expect(opened.locator("#facts")).to_contain_text(f"{np.mean(values):.3f}", timeout=PATIENCE)
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    opened.locator("#compare-mode").get_by_text("side by side").click()
    expect(opened.locator("#compare-picture img")).to_be_visible(timeout=PATIENCE)
    photo = for_screen(load_image(coco_val.images / name))
    scale = photo.shape[1] / load_image(coco_val.images / name).shape[1]
    known = scaled([t.person for t in truth.of(name)], scale)
    drawn = draw_people(photo, known, DrawSettings(**ON_PAGE))
    last = pixels(opened, "#compare-picture img")[:, -photo.shape[1] :].astype(int)
    assert np.abs(last - drawn).mean() < 4
    opened.locator("#desk").screenshot(path=artifacts / "truth-1280.png")
