"""Two sets of weights on one photo, with and without the truth."""

from __future__ import annotations

import numpy as np
import pytest
from gradio_client import Client, handle_file
from page_driver import (
    EXAMPLES,
    PATIENCE,
    choose,
    people_count,
    pixels,
    set_number,
    status_of,
    table_rows,
    upload_and_run,
)
from playwright.sync_api import expect

from pose import PoseEstimator, load_image
from pose.render import draw_people

PHOTO = EXAMPLES / "four-people.jpg"


@pytest.fixture(scope="module")
def second(served, second_weights) -> PoseEstimator:
    return PoseEstimator.from_pretrained(
        second_weights, device="cpu", weights_dir=served.models.weights_dir
    )


def test_a_finished_run_is_compared(opened, served, second_weights, second, estimator, artifacts):
    opened.click("#refresh")
    opened.wait_for_timeout(1500)
    choose(opened, "weights-b", second_weights)
    opened.click("#run")
    expect(opened.locator("#status")).to_contain_text(second_weights, timeout=PATIENCE)
    expect(opened.locator("#downloads")).to_contain_text("four-people_b", timeout=PATIENCE)
    a, b = estimator(PHOTO), second(PHOTO)
    lines = status_of(opened).splitlines()
    assert people_count(len(a.people)) in lines[0]
    assert people_count(len(b.people)) in lines[1]

    opened.get_by_role("tab", name="Compare").click()
    pictures = opened.locator("#comparison img")
    expect(pictures).to_have_count(2)
    facts = opened.locator("#facts")
    expect(facts).to_contain_text("mean keypoint score")
    scores = np.concatenate([p.keypoints[p.visible, 2] for p in b.people])
    expect(facts).to_contain_text(f"{scores.mean():.3f}")
    facts.locator("summary").click()
    expect(facts.locator("details tbody tr")).to_have_count(18)
    opened.locator("#desk").screenshot(path=artifacts / "compare-1280.png")

    opened.get_by_role("tab", name="Side by side").click()
    photo = load_image(PHOTO)
    for column, result in (("#column-a img", a), ("#column-b img", b)):
        opened.locator(column).scroll_into_view_if_needed()
        difference = pixels(opened, column).astype(int) - draw_people(photo, result.people)
        assert np.abs(difference).mean() < 3  # JPEG

    expect(opened.locator("#field-map-b img")).to_be_attached()
    opened.locator("#table-of").get_by_text("B", exact=True).click()
    x = f"{b.people[0].keypoints[0, 0]:.2f}".rstrip("0").rstrip(".")
    expect(opened.locator("#people")).to_contain_text(x, timeout=PATIENCE)
    assert table_rows(opened, "people")[0][2] == x


def test_a_threshold_runs_neither_network(opened, served):
    # The bundled `custom` is B from the moment the page is opened.
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    runs = served.models.network_runs()
    set_number(opened, "peak-threshold", 0.3)
    expect(opened.locator("#status")).to_contain_text("network not run", timeout=PATIENCE)
    assert status_of(opened).count("network not run") == 2
    assert served.models.network_runs() == runs


def test_compare_endpoint_with_two_weights(served, second_weights, second, estimator):
    client = Client(served.url, verbose=False)
    photo = EXAMPLES / "astronaut.jpg"
    _, overlay, answer = client.predict(
        handle_file(str(photo)), weights_b=second_weights, api_name="/compare"
    )
    a, b = estimator(photo), second(photo)
    np.testing.assert_array_equal(load_image(overlay), draw_people(load_image(photo), b.people))
    for name, result in (("a", a), ("b", b)):
        scores = np.concatenate([p.keypoints[p.visible, 2] for p in result.people])
        assert answer[name]["mean_score"] == pytest.approx(scores.mean(), abs=1e-3)
    for k, row in enumerate(answer["joints"]):
        found = [bool(p.visible[k]) for p in b.people]
        assert row["found_b"] == sum(found)
        if len(a.people) == len(b.people) == 1:
            one, other = a.people[0].keypoints[k, :2], b.people[0].keypoints[k, :2]
            apart = float(np.hypot(*(one - other)))
            assert (row["distance"] is None) == bool(np.isnan(apart))
            assert np.isnan(apart) or row["distance"] == pytest.approx(apart, abs=0.01)


def test_the_truth_is_drawn_and_scored(opened, served, coco_val, estimator, monkeypatch, artifacts):
    from page.truth import Truth, oks_of_people

    truth = Truth(coco_val.annotations)
    monkeypatch.setattr(served.models, "truth", truth)
    name = "000000000785.jpg"
    if not (coco_val.images / name).is_file():
        name = sorted(p.name for p in coco_val.images.glob("*.jpg"))[1]
    upload_and_run(opened, coco_val.images / name)
    people = estimator(coco_val.images / name).people
    values = oks_of_people(people, truth.of(name))
    opened.get_by_role("tab", name="Compare").click()
    expect(opened.locator("#facts")).to_contain_text(f"{np.mean(values):.3f}")
    opened.get_by_role("tab", name="Side by side").click()
    expect(opened.locator("#column-truth img")).to_be_attached()
    drawn = draw_people(load_image(coco_val.images / name), [t.person for t in truth.of(name)])
    opened.locator("#column-truth img").scroll_into_view_if_needed()
    assert np.abs(pixels(opened, "#column-truth img").astype(int) - drawn).mean() < 4
    opened.locator("#desk").screenshot(path=artifacts / "truth-1280.png")
