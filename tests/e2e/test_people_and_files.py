"""Highlighting, switches, and the files to take away."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from page_driver import (
    EXAMPLES,
    PATIENCE,
    choose,
    pixels,
    set_number,
    source_of,
    table_rows,
    wait_for_another,
)
from playwright.sync_api import expect

from pose import load_image
from pose.export import coco_results, openpose_json
from pose.render import DrawSettings, draw_people
from pose.skeleton import KEYPOINTS

PHOTO = EXAMPLES / "four-people.jpg"


def test_highlight_one_person(opened, served, estimator):
    runs = served.models.network_runs()
    before = source_of(opened, "#skeleton img")
    choose(opened, "highlight", "2")
    wait_for_another(opened, "#skeleton img", before)
    people = estimator(PHOTO).people
    expected = draw_people(load_image(PHOTO), people, DrawSettings(highlight=1))
    assert np.abs(pixels(opened, "#skeleton img").astype(int) - expected).mean() < 3
    rows = table_rows(opened, "people")
    assert {row[0] for row in rows} == {"2"}
    assert served.models.network_runs() == runs


def test_skeletons_on_black_with_numbers_and_boxes(opened, estimator):
    people = estimator(PHOTO).people
    for name in ("numbers", "boxes", "skeletons on black"):
        before = source_of(opened, "#skeleton img")
        opened.locator("#switches").get_by_text(name).click()
        wait_for_another(opened, "#skeleton img", before)
    settings = DrawSettings(ids=True, boxes=True, black=True)
    expected = draw_people(load_image(PHOTO), people, settings)
    shown = pixels(opened, "#skeleton img").astype(int)
    assert np.abs(shown - expected).mean() < 3
    assert np.median(shown) == 0


def test_a_click_on_a_joint_selects_its_heatmap(opened, estimator):
    person = estimator(PHOTO).people[0]
    joint = int(np.argmax(person.keypoints[:, 2]))
    x, y = (float(v) for v in person.keypoints[joint, :2])
    image = opened.locator("#skeleton img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    height, width = load_image(PHOTO).shape[:2]
    scale = min(box["width"] / width, box["height"] / height)
    left = box["x"] + (box["width"] - width * scale) / 2
    top = box["y"] + (box["height"] - height * scale) / 2
    before = source_of(opened, "#field-map img")
    opened.mouse.click(left + x * scale, top + y * scale)
    wait_for_another(opened, "#field-map img", before)
    assert opened.locator("#field-channel input").input_value() == KEYPOINTS[joint].name


def downloaded(page, name: str, folder: Path) -> Path:
    """Clicks a file's link and saves it."""
    row = page.locator("#downloads tr", has=page.locator(f"[aria-label='{name}']"))
    with page.expect_download(timeout=PATIENCE) as download:
        row.locator("a").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_files(opened, estimator, tmp_path):
    people = estimator(PHOTO).people
    archive = downloaded(opened, "four-people_pose.zip", tmp_path)
    with zipfile.ZipFile(archive) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    kinds = ("coco.json", "openpose.json", "keypoints.csv", "skeletons.png")
    assert set(contents) == {
        f"four-people{mark}_{kind}"
        for mark in ("", "_b")
        for kind in (*kinds, "heatmap_all-joints.png")
    }
    coco = json.loads(contents["four-people_coco.json"])
    assert coco == json.loads(json.dumps(coco_results(people, 1, PHOTO.name)))
    assert json.loads(contents["four-people_openpose.json"]) == openpose_json(people)
    rows = list(csv.DictReader(io.StringIO(contents["four-people_keypoints.csv"].decode())))
    assert len(rows) == 18 * len(people)
    picture = tmp_path / "skeletons.png"
    picture.write_bytes(contents["four-people_skeletons.png"])
    expected = draw_people(load_image(PHOTO), people)
    np.testing.assert_array_equal(load_image(picture), expected)

    alone = downloaded(opened, "four-people_coco.json", tmp_path)
    assert alone.read_bytes() == contents["four-people_coco.json"]


def test_the_coco_file_loads_in_pycocotools(opened, tmp_path):
    from pycocotools.coco import COCO

    file = downloaded(opened, "four-people_coco.json", tmp_path)
    truth = tmp_path / "truth.json"
    truth.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": PHOTO.name, "height": 900, "width": 900}],
                "annotations": [],
                "categories": [{"id": 1, "name": "person"}],
                "info": {},
            }
        )
    )
    loaded = COCO(str(truth)).loadRes(str(file))
    assert len(loaded.getAnnIds(imgIds=[1])) == len(json.loads(file.read_text())) >= 4


def test_the_files_follow_a_threshold(opened, estimator, tmp_path):
    set_number(opened, "min-parts", 15)
    expect(opened.locator("#status")).to_contain_text("network not run", timeout=PATIENCE)
    people = estimator.decode(estimator(PHOTO).maps, min_parts=15)
    opened.wait_for_timeout(3000)
    file = downloaded(opened, "four-people_coco.json", tmp_path)
    assert len(json.loads(file.read_text())) == len(people)
