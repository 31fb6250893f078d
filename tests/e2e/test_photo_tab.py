"""The photo tab in Chromium: a photo, its views, its thresholds, its address, what goes wrong."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from page_driver import (
    PATIENCE,
    choose,
    open_accordion,
    people_count,
    pixels,
    set_number,
    source_of,
    status_of,
    table_rows,
    upload,
    upload_and_wait,
    view,
    wait_for_another,
)
from places import EXAMPLES
from playwright.sync_api import Page, expect

from pose import DecodeSettings

PHOTO = EXAMPLES / "group.jpg"


def status_says(page: Page, text: str) -> None:
    expect(page.locator("#status")).to_contain_text(text, timeout=PATIENCE)


def test_an_example_is_there_already_computed_and_nothing_outside_is_asked(opened, artifacts):
    assert "8 people" in status_of(opened)
    assert "network" in opened.locator("#status .card").text_content()
    for box in ("#skeleton img", "#input-image img"):
        assert pixels(opened, box).std() > 20
    run, canvas = (opened.locator(s).bounding_box() for s in ("#run", "#canvas"))
    assert run["y"] + run["height"] < 650
    assert canvas["x"] >= 320 and canvas["width"] > 800
    open_accordion(opened, "keypoints")
    opened.wait_for_selector("#people [role=gridcell]")
    assert [row[1] for row in table_rows(opened, "people")[:3]] == [
        "nose",
        "neck",
        "right shoulder",
    ]
    assert opened.outside == []
    opened.screenshot(path=artifacts / "page-1280.png", full_page=True)


def test_an_upload_is_run_at_once(opened, estimator):
    photo = EXAMPLES / "astronaut.jpg"
    upload_and_wait(opened, photo)
    people = estimator(photo).people
    status_says(opened, people_count(len(people)))
    drawn = pixels(opened, "#skeleton img").astype(int)
    original = pixels(opened, "#input-image img").astype(int)
    assert original.shape == (512, 512, 3)
    assert drawn.shape == (900, 900, 3), "a small photo is enlarged before it is drawn on"
    x, y = (round(float((v + 0.5) * 900 / 512 - 0.5)) for v in people[0].keypoints[2, :2])
    around = drawn[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0)
    assert np.abs(around - (255, 149, 0)).max() < 40, "the right shoulder is orange"
    open_accordion(opened, "keypoints")
    opened.wait_for_selector("#people [role=gridcell]")
    first = table_rows(opened, "people")[0]
    assert first[:2] == ["1", "nose"]
    shown = [float(number) for number in first[2:5]]
    np.testing.assert_allclose(shown, people[0].keypoints[0], atol=0.01)


def test_a_threshold_moved_while_the_network_runs_counts(opened):
    open_accordion(opened, "advanced")
    opened.locator("#preset").get_by_text("accurate", exact=True).click()
    opened.click("#run")
    set_number(opened, "peak-threshold", 0.9)
    status_says(opened, "no people")


def test_the_views_of_the_network_are_layers_on_the_canvas(opened, served, estimator):
    from page.images import for_screen
    from page.photo.pictures import FieldChoice, draw_layer
    from page.photo.session import Session, Side

    result = estimator(PHOTO, stages=True)
    session = Session(PHOTO.name, "", for_screen(result.image), Side("", result))
    runs = served.models.network_runs()

    def shows(choice: FieldChoice, opacity: float = 1.0) -> bool:
        expected = draw_layer(session, session.a, choice, opacity).picture
        shown = pixels(opened, "#field-map img").astype(int)
        return shown.shape == expected.shape and np.abs(shown - expected).mean() < 2  # JPEG

    view(opened, "Heatmap")
    expect(opened.locator("#field-map img")).to_be_visible(timeout=PATIENCE)
    assert shows(FieldChoice())
    before = source_of(opened, "#field-map img")
    choose(opened, "field-channel", "left wrist")
    before = wait_for_another(opened, "#field-map img", before)
    assert shows(FieldChoice("heatmap", "left wrist"))
    set_number(opened, "field-opacity", 0.3)
    before = wait_for_another(opened, "#field-map img", before)
    assert shows(FieldChoice("heatmap", "left wrist"), 0.3)
    view(opened, "PAF")
    before = wait_for_another(opened, "#field-map img", before)
    assert shows(FieldChoice("direction", "all limbs"), 0.3)
    opened.click("#field-play")
    stage = opened.locator("#field-stage input[type=number]")
    expect(stage).to_have_value("1", timeout=PATIENCE)
    expect(stage).to_have_value("6", timeout=PATIENCE)
    expect(opened.locator("#skeleton img")).to_be_hidden()
    assert served.models.network_runs() == runs


def test_a_threshold_decodes_again_without_the_network(opened, served, estimator):
    runs = served.models.network_runs()
    open_accordion(opened, "advanced")
    set_number(opened, "min-parts", 16)
    status_says(opened, "network not run")
    result = estimator(PHOTO)
    expected = estimator.decode(result.maps, min_parts=16)
    assert len(expected) < len(estimator.decode(result.maps, min_parts=DecodeSettings().min_parts))
    status_says(opened, people_count(len(result.decode(min_parts=16).people)))
    opened.click("#reset-thresholds")
    status_says(opened, "8 people")
    assert served.models.network_runs() == runs


def test_how_sure_moves_two_thresholds(opened, served, estimator):
    runs = served.models.network_runs()
    set_number(opened, "sure", 0.04)
    more = estimator(PHOTO).decode(min_score=0.04, peak_threshold=0.01).people
    assert len(more) > 8
    status_says(opened, people_count(len(more)))
    open_accordion(opened, "advanced")
    opened.click("#reset-thresholds")
    status_says(opened, "8 people")
    expect(opened.locator("#sure input[type=number]")).to_have_value("0.2")
    assert served.models.network_runs() == runs


def test_a_changed_setting_marks_the_result_until_it_is_changed_back(opened):
    preset = opened.locator("#preset")
    preset.get_by_text("fast", exact=True).click()
    status_says(opened, "Earlier settings")
    opacity = "getComputedStyle(document.querySelector('#skeleton img')).opacity"
    assert float(opened.evaluate(opacity)) < 0.6
    preset.get_by_text("balanced", exact=True).click()
    expect(opened.locator("#status")).not_to_contain_text("Earlier settings", timeout=PATIENCE)
    preset.get_by_text("fast", exact=True).click()
    opened.click("#run")
    expect(opened.locator("#status")).not_to_contain_text("Earlier settings", timeout=PATIENCE)
    assert float(opened.evaluate(opacity)) == 1


def test_a_file_that_is_no_photo_changes_nothing(opened, tmp_path):
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a photo")
    before = source_of(opened, "#skeleton img")
    opened.click("#input-image [aria-label='Upload file']")
    opened.locator("#input-image input[type=file]").set_input_files(str(bad))
    status_says(opened, "Notes.jpg is not a photo that can be read")
    status_says(opened, "8 people")
    assert source_of(opened, "#skeleton img") == before
    opened.wait_for_function(
        "() => document.querySelector('#input-image img')?.src.endsWith('group.jpg')",
        timeout=PATIENCE,
    )
    expect(opened.locator("body")).not_to_contain_text("Error")


@pytest.mark.parametrize("name", ["photographer"])
def test_a_click_on_an_example_runs_it(opened, name):
    opened.get_by_role("button", name=name).click()
    status_says(opened, "1 person")


def test_a_click_on_a_keypoint_shows_its_heatmap_on_the_canvas(opened, estimator):
    person = estimator(PHOTO).people[0]
    image = opened.locator("#skeleton img")
    box = image.bounding_box()
    height, width = estimator(PHOTO).image_size
    scale = min(box["width"] / width, box["height"] / height)
    x, y = (float(v) * scale for v in person.keypoints[1, :2])
    left, top = ((box[s] - v * scale) / 2 for s, v in (("width", width), ("height", height)))
    opened.mouse.click(box["x"] + left + x, box["y"] + top + y)
    expect(opened.locator("#field-map img")).to_be_visible(timeout=PATIENCE)
    expect(opened.locator("#skeleton img")).to_be_hidden()
    assert opened.locator("#field-channel input").input_value() == "neck"


def test_the_address_opens_the_page_where_it_was_left(opened, served):
    def asked() -> dict[str, str]:
        return {key: value[0] for key, value in parse_qs(urlsplit(opened.url).query).items()}

    opened.goto(f"{served.url}?example=astronaut&view=heatmap&channel=left+elbow&stage=2&lang=en")
    status_says(opened, "1 person")
    expect(opened.locator("#field-map img")).to_be_visible(timeout=PATIENCE)
    assert opened.locator("#field-channel input").input_value() == "left elbow"
    assert opened.locator("#field-stage input[type=number]").input_value() == "2"
    view(opened, "PAF")
    opened.wait_for_function("location.search.includes('view=paf')", timeout=PATIENCE)
    assert asked()["example"] == "astronaut"
    opened.go_back()
    opened.wait_for_function("location.search.includes('view=heatmap')", timeout=PATIENCE)
    expect(opened.locator("#field-kind")).to_be_hidden(timeout=PATIENCE)
    opened.get_by_role("tab", name="Video").click()
    opened.wait_for_function("location.search.includes('tab=video')", timeout=PATIENCE)
    opened.reload()
    expect(opened.locator("#video-run")).to_be_visible(timeout=PATIENCE)
    upload_to = "?view=black"
    opened.goto(served.url + upload_to)
    status_says(opened, "8 people")
    upload(opened, EXAMPLES / "photographer.jpg")
    status_says(opened, "1 person")
    assert asked()["view"] == "black"
