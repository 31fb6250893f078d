"""Many photos, the camera, and the texts for programs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from page_driver import PATIENCE, pixels, saved
from places import COLLAGE, EXAMPLES, ROOT
from playwright.sync_api import Page, expect

from pose import load_image
from pose.export import coco_results


def test_many_photos_with_a_bad_one_between(opened, estimator, tmp_path, artifacts):
    bad = tmp_path / "lifting_weights.jpg"
    bad.write_text("not a photo")
    photos = [EXAMPLES / "astronaut.jpg", bad, EXAMPLES / "photographer.jpg"]
    opened.get_by_role("tab", name="Many photos").click()
    opened.locator("#many-photos input[type=file]").set_input_files([str(p) for p in photos])
    expect(opened.locator("#many-photos")).to_contain_text("photographer", timeout=PATIENCE)
    opened.click("#many-run")
    expect(opened.locator("#many-status")).to_contain_text("2 of 3 photos", timeout=PATIENCE)
    expect(opened.locator("#many-status")).to_contain_text("1 refused")
    expect(opened.locator("#many-stop")).to_be_hidden(timeout=PATIENCE)
    expect(opened.locator("#many-status")).to_contain_text("lifting_weights.jpg is not a photo")
    expect(opened.locator("#many-gallery img")).to_have_count(2)
    opened.screenshot(path=artifacts / "many-1280.png")

    opened.wait_for_timeout(1000)
    file = saved(opened, "#many-files", "photos_coco.json", tmp_path)
    expected = []
    for number, photo in enumerate((photos[0], photos[2]), start=1):
        people = estimator(photo, preset="fast").people
        expected += coco_results(people, number, photo.name)
    assert json.loads(file.read_text()) == json.loads(json.dumps(expected))


def test_a_stopped_run_keeps_what_is_done(opened, tmp_path):
    photo = load_image(COLLAGE)
    photos = []
    for i in range(30):
        photos.append(tmp_path / f"photo{i:02d}.png")
        cv2.imwrite(str(photos[-1]), np.roll(photo, 7 * i, 1)[:, :, ::-1])
    opened.get_by_role("tab", name="Many photos").click()
    opened.locator("#many-photos input[type=file]").set_input_files([str(p) for p in photos])
    expect(opened.locator("#many-photos")).to_contain_text("photo29", timeout=PATIENCE)
    opened.locator("#many-preset").get_by_text("balanced").click()
    opened.click("#many-run")
    expect(opened.locator("#many-status")).to_contain_text("of 30 photos", timeout=PATIENCE)
    opened.click("#many-stop")
    opened.wait_for_timeout(2500)
    done = opened.inner_text("#many-status")
    assert not done.startswith("30 of")
    opened.wait_for_timeout(2500)
    assert opened.inner_text("#many-status") == done
    expect(opened.locator("#many-gallery img").first).to_be_visible()
    file = saved(opened, "#many-files", "photos_coco.json", tmp_path)
    names = {entry["file_name"] for entry in json.loads(file.read_text())}
    assert 1 <= len(names) <= 30 - 1


@pytest.fixture
def camera(browser_type, browser_type_launch_args, tmp_path):
    """Starts Chromium with a picture for a camera; returns its new page."""
    browsers = []

    def open_page(picture: np.ndarray, url: str) -> Page:
        feed = tmp_path / "camera.mjpeg"
        feed.write_bytes(cv2.imencode(".jpg", picture[:, :, ::-1])[1].tobytes() * 4)
        arguments = [
            *browser_type_launch_args["args"],
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={feed}",
        ]
        options = {**browser_type_launch_args, "args": arguments}
        browsers.append(browser_type.launch(**options))
        page = browsers[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.wait_for_selector("#skeleton img")
        return page

    yield open_page
    for browser in browsers:
        browser.close()


def test_a_photo_taken_with_the_camera_is_not_mirrored(served, camera):
    picture = np.full((480, 640, 3), 200, np.uint8)
    picture[100:300, 40:240] = (220, 20, 20)
    page = camera(picture, served.url)
    page.click("#input-image [aria-label='Capture from camera']")
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_selector("#input-image video")
    page.wait_for_timeout(1500)
    page.click("#input-image .capture-button")
    page.wait_for_selector("#input-image [aria-label='Remove Image']")
    taken = pixels(page, "#input-image img").astype(int)
    red = (taken[..., 0] - taken[..., 1] > 100).nonzero()[1] / taken.shape[1]
    assert len(red) and red.max() < 0.5, "the red square is at the left, as in the camera"


def test_the_camera_is_answered_live_and_a_frame_opens_as_photo(served, camera, artifacts):
    """The view is a mirror, the frames are not: the red side stays right for the network."""
    person = cv2.resize(load_image(EXAMPLES / "photographer.jpg"), (480, 480))
    red = np.full((480, 160, 3), (200, 30, 30), np.uint8)
    page = camera(np.hstack([person, red]), served.url)
    page.get_by_role("tab", name="Webcam").click()
    expect(page.locator("#webcam-out")).to_be_hidden()  # nobody before the camera is allowed
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_selector("#webcam-in video")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#webcam-status")).to_contain_text("frames per second", timeout=PATIENCE)
    expect(page.locator("#webcam-out img")).to_be_visible()
    for seen in ("#webcam-out img", "#webcam-in video"):
        style = page.locator(seen).evaluate("e => getComputedStyle(e).transform")
        assert style.startswith("matrix(-1"), seen
    assert red_share(pixels(page, "#webcam-out img")) > 0.5, "the frame itself is not mirrored"
    page.screenshot(path=artifacts / "webcam-1280.png")
    expect(page.locator("#webcam-in .capture-button")).to_have_text("Stop")
    page.click("#webcam-in .capture-button")
    expect(page.locator("#webcam-in .capture-button")).to_have_text("Record", timeout=PATIENCE)
    page.click("#webcam-snapshot")
    expect(page.locator("#status")).to_contain_text("1 person", timeout=PATIENCE)
    assert red_share(pixels(page, "#input-image img")) > 0.5


def red_share(picture: np.ndarray) -> float:
    """Where the columns that are mostly red begin, as a share of the width."""
    picture = picture.astype(int)
    red = (picture[..., 0] - picture[..., 1] > 100).mean(axis=0) > 0.8
    return red.nonzero()[0].min() / picture.shape[1]


def text_of_code(page, element: str) -> str:
    return "\n".join(page.locator(f"#{element} .cm-line").all_inner_texts())


def test_the_python_text_runs(opened, served, estimator, tmp_path):
    opened.get_by_role("tab", name="Use from code").click()
    opened.wait_for_selector("#code-python .cm-line")
    text = text_of_code(opened, "code-python")
    assert served.url.rstrip("/") in text
    shutil.copy(EXAMPLES / "astronaut.jpg", tmp_path / "photo.jpg")
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    best = estimator(tmp_path / "photo.jpg").people[0]
    assert f"person 1: {best.found.sum()} keypoints, score {best.score:.1f}" in done.stdout


def gradio_client_for_node() -> Path | None:
    """A folder where `npm install @gradio/client` was run: the checkout or its parent."""
    root = ROOT
    folders = (root, root.parent)
    return next((f for f in folders if (f / "node_modules/@gradio/client").is_dir()), None)


def test_the_javascript_text_runs(opened, estimator, tmp_path):
    modules = gradio_client_for_node()
    if modules is None or shutil.which("node") is None:
        pytest.skip("needs node and `npm install @gradio/client`")
    opened.get_by_role("tab", name="Use from code").click()
    opened.get_by_role("tab", name="JavaScript").click()
    opened.wait_for_selector("#code-javascript .cm-line")
    (tmp_path / "call.mjs").write_text(text_of_code(opened, "code-javascript"))
    (tmp_path / "node_modules").symlink_to(modules / "node_modules")
    shutil.copy(EXAMPLES / "astronaut.jpg", tmp_path / "photo.jpg")
    done = subprocess.run(
        ["node", "call.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    count = len(estimator(tmp_path / "photo.jpg").people)
    assert done.stdout.startswith(f"{count} http")
