"""Highlighting, switches, the black picture, and the files to take away."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import numpy as np
from page_driver import (
    PATIENCE,
    downloaded,
    open_accordion,
    people_count,
    pixels,
    set_number,
    source_of,
    table_rows,
    view,
    wait_for_another,
)
from places import EXAMPLES
from playwright.sync_api import expect

from page.images import for_screen, scaled
from pose import PoseResult, load_image
from pose.drawing import CONTROLNET, DrawSettings, draw_people
from pose.export import coco_results, openpose_json

PHOTO = EXAMPLES / "group.jpg"
ON_PAGE = {"palette": "sides", "confidence": True, "width": "median"}


def shown(result: PoseResult, **options: object) -> np.ndarray:
    """The skeletons as the canvas shows them."""
    photo = for_screen(result.image)
    people = scaled(result.people, photo.shape[1] / result.image.shape[1])
    return draw_people(photo, people, DrawSettings(**{**ON_PAGE, **options}))


def test_highlight_one_person(opened, served, estimator):
    runs = served.models.network_runs()
    before = source_of(opened, "#skeleton img")
    opened.locator("#highlight").get_by_text("2", exact=True).click()
    wait_for_another(opened, "#skeleton img", before)
    expected = shown(estimator(PHOTO), highlight=1)
    assert np.abs(pixels(opened, "#skeleton img").astype(int) - expected).mean() < 3
    open_accordion(opened, "keypoints")
    opened.wait_for_selector("#people [role=gridcell]")
    assert {row[0] for row in table_rows(opened, "people")} == {"2"}
    assert served.models.network_runs() == runs


def test_numbers_boxes_and_colours(opened, estimator):
    before = source_of(opened, "#skeleton img")
    for name in ("numbers", "boxes"):
        opened.locator("#switches").get_by_text(name).click()
        before = wait_for_another(opened, "#skeleton img", before)
    expect(opened.locator("#sides-legend")).to_have_text("leftright")
    opened.locator("#palette").get_by_text("OpenPose").click()
    wait_for_another(opened, "#skeleton img", before)
    expected = shown(estimator(PHOTO), ids=True, boxes=True, palette="openpose")
    assert np.abs(pixels(opened, "#skeleton img").astype(int) - expected).mean() < 3
    expect(opened.locator("#sides-legend")).to_have_text("")


def test_the_black_picture_and_its_files(opened, estimator, tmp_path):
    opened.locator("#switches").get_by_text("numbers").click()
    before = source_of(opened, "#skeleton img")
    view(opened, "On black")
    before = wait_for_another(opened, "#skeleton img", before)
    opened.locator("#size").get_by_text("768 px").click()
    wait_for_another(opened, "#skeleton img", before)
    picture = downloaded(opened, "on black, PNG", tmp_path)
    assert picture.name == "group_black_2304x768.png"
    result = estimator(PHOTO)
    factors = np.array([2304, 768]) / (result.image_size[1], result.image_size[0])
    people = scaled(result.people, factors)
    expected = draw_people(np.zeros((768, 2304, 3), np.uint8), people, CONTROLNET)
    np.testing.assert_array_equal(load_image(picture), expected)
    answer = json.loads(downloaded(opened, "on black, JSON", tmp_path).read_text())
    assert answer == openpose_json(people, image_size=(768, 2304))


def test_the_files(opened, estimator, tmp_path):
    result = estimator(PHOTO)
    people = result.people
    archive = downloaded(opened, "everything (ZIP)", tmp_path)
    assert archive.name == "group_pose.zip"
    expect(opened.locator("#downloads a")).to_have_text("group_pose.zip")
    with zipfile.ZipFile(archive) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    assert set(contents) == {
        f"group_{kind}"
        for kind in (
            *("coco.json", "openpose.json", "keypoints.csv", "skeletons.png"),
            *("heatmap_all-keypoints.png", "black_1536x512.png", "black_1536x512.json"),
            "annotations.json",
        )
    }
    coco = json.loads(contents["group_coco.json"])
    assert coco == json.loads(json.dumps(coco_results(people, 1, PHOTO.name)))
    assert json.loads(contents["group_openpose.json"]) == openpose_json(
        people, image_size=result.image_size
    )
    rows = list(csv.DictReader(io.StringIO(contents["group_keypoints.csv"].decode())))
    assert len(rows) == 18 * len(people)
    picture = tmp_path / "skeletons.png"
    picture.write_bytes(contents["group_skeletons.png"])
    expected = draw_people(result.image, people, DrawSettings(**ON_PAGE))
    np.testing.assert_array_equal(load_image(picture), expected)

    open_accordion(opened, "advanced")
    set_number(opened, "min-parts", 16)
    fewer = result.decode(min_parts=16).people
    assert len(fewer) < len(people)
    count = people_count(len(fewer))
    expect(opened.locator("#status .lines")).to_contain_text(count, timeout=PATIENCE)
    alone = downloaded(opened, "COCO results", tmp_path)
    assert json.loads(alone.read_text()) == json.loads(
        json.dumps(coco_results(fewer, 1, PHOTO.name))
    )


def test_the_coco_file_loads_in_pycocotools(opened, tmp_path):
    from pycocotools.coco import COCO

    file = downloaded(opened, "COCO results", tmp_path)
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": PHOTO.name, "height": 465, "width": 1380}],
                "annotations": [],
                "categories": [{"id": 1, "name": "person"}],
                "info": {},
            }
        )
    )
    loaded = COCO(str(truth)).loadRes(str(file))
    assert len(loaded.getAnnIds(imgIds=[1])) == len(json.loads(file.read_text())) == 8
