"""The photo tab in Chromium: upload, run, compare, look inside, read the table."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_driver import (
    EXAMPLES,
    PATIENCE,
    choose,
    people_count,
    pixels,
    set_number,
    source_of,
    status_of,
    table_rows,
    upload,
    upload_and_run,
    wait_for_another,
)
from playwright.sync_api import expect

from pose import DecodeSettings


def test_an_example_is_there_already_computed_and_nothing_outside_is_asked(opened, artifacts):
    assert re.search(r"4 people in .*network .*decoding", status_of(opened))
    for box in ("#skeleton img", "#field-map img", "#input-image img"):
        assert pixels(opened, box).std() > 20
    assert [row[1] for row in table_rows(opened, "people")[:3]] == [
        "nose",
        "neck",
        "right shoulder",
    ]
    assert opened.outside == []
    opened.screenshot(path=artifacts / "page-1280.png", full_page=True)


def test_upload_run_and_read_the_people(opened, estimator):
    photo = EXAMPLES / "astronaut.jpg"
    upload_and_run(opened, photo)
    people = estimator(photo).people
    assert people_count(len(people)) in status_of(opened)

    first = table_rows(opened, "people")[0]
    x, y, score = people[0].keypoints[0]
    assert first[:2] == ["1", "nose"]
    shown = [float(number) for number in first[2:5]]
    np.testing.assert_allclose(shown, [x, y, score], atol=0.01)

    drawn = pixels(opened, "#skeleton img").astype(int)
    original = pixels(opened, "#input-image img").astype(int)
    assert drawn.shape == original.shape == (512, 512, 3)
    # Around the nose there is paint, in the corners there is none.
    x, y = round(float(x)), round(float(y))
    assert np.abs(drawn - original)[y - 3 : y + 4, x - 3 : x + 4].mean() > 30
    assert np.abs(drawn - original)[-40:, :40].mean() < 6


def test_a_threshold_moved_while_the_network_runs_counts(opened):
    opened.locator("#preset").get_by_text("accurate", exact=True).click()
    opened.click("#run")
    set_number(opened, "peak-threshold", 0.9)
    expect(opened.locator("#status .lines")).to_contain_text("no people", timeout=PATIENCE)


def test_the_line_between_the_pictures_can_be_dragged(opened):
    opened.get_by_role("tab", name="Compare").click()
    slider = opened.locator("#comparison")
    slider.scroll_into_view_if_needed()
    handle = slider.get_by_test_id("slider").locator(".icon-wrap")
    handle.wait_for()
    opened.wait_for_timeout(500)
    before = handle.bounding_box()
    opened.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(before["x"] - 120, before["y"] + before["height"] / 2, steps=8)
    opened.mouse.up()
    assert handle.bounding_box()["x"] < before["x"] - 60


def test_look_inside_by_name(opened, served, estimator):
    from page.pictures import field_pictures
    from page.session import Side
    from pose import load_image

    photo = load_image(EXAMPLES / "four-people.jpg")
    result = estimator(photo, stages=True)
    side = Side("", result, result.people, 0.0)

    before = source_of(opened, "#field-map img")
    choose(opened, "field-channel", "left wrist")
    before = wait_for_another(opened, "#field-map img", before)
    (expected,) = field_pictures(photo, [side], "heatmap", "left wrist", 6)
    shown = pixels(opened, "#field-map img")
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 1

    opened.locator("#field-kind").get_by_text("PAF: direction").click()
    before = wait_for_another(opened, "#field-map img", before)
    choose(opened, "field-channel", "neck – nose")
    wait_for_another(opened, "#field-map img", before)
    (expected,) = field_pictures(photo, [side], "direction", "neck – nose", 6)
    assert np.abs(pixels(opened, "#field-map img").astype(int) - expected).mean() < 1


def test_a_threshold_decodes_again_without_the_network(opened, served, estimator):
    runs = served.models.network_runs()
    assert runs >= 1
    set_number(opened, "min-parts", 15)
    expect(opened.locator("#status")).to_contain_text("network not run", timeout=PATIENCE)
    result = estimator(EXAMPLES / "four-people.jpg")
    expected = estimator.decode(result.maps, min_parts=15)
    assert len(expected) < len(estimator.decode(result.maps, min_parts=DecodeSettings().min_parts))
    count = people_count(len(expected))
    expect(opened.locator("#status")).to_contain_text(count, timeout=PATIENCE)
    assert served.models.network_runs() == runs


def test_a_text_file_renamed_is_one_clear_line(opened, tmp_path):
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a photo")
    upload(opened, bad)
    opened.click("#run")
    expect(opened.locator("body")).to_contain_text("is not a photo that can be read")


@pytest.mark.parametrize("name", ["photographer"])
def test_a_click_on_an_example_runs_it(opened, name):
    opened.locator("#examples .gallery-item").nth(2).click()
    expect(opened.locator("#downloads")).to_contain_text(name, timeout=PATIENCE)
    assert "1 person" in status_of(opened)
