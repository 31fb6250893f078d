"""Many photos, a clip, the camera, and the texts for programs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from page_driver import EXAMPLES, PATIENCE
from playwright.sync_api import expect

from pose import load_image
from pose.export import coco_results
from pose.video import VideoWriter, read_frames

FRAMES = 8


def saved(page, selector: str, name: str, folder: Path) -> Path:
    """Downloads one of a list of files."""
    row = page.locator(f"{selector} tr", has=page.locator(f"[aria-label='{name}']"))
    with page.expect_download(timeout=PATIENCE) as download:
        row.locator("a").click()
    download.value.save_as(folder / name)
    return folder / name


def test_many_photos_with_a_bad_one_between(opened, estimator, tmp_path, artifacts):
    bad = tmp_path / "lifting_weights.jpg"
    bad.write_text("not a photo")
    photos = [EXAMPLES / "astronaut.jpg", bad, EXAMPLES / "photographer.jpg"]
    opened.get_by_role("tab", name="Many photos").click()
    opened.locator("#many-photos input[type=file]").set_input_files([str(p) for p in photos])
    expect(opened.locator("#many-photos")).to_contain_text("photographer", timeout=PATIENCE)
    opened.click("#many-run")
    expect(opened.locator("#many-status")).to_contain_text("3 of 3 photos", timeout=PATIENCE)
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
    photo = load_image(EXAMPLES / "four-people.jpg")
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
def clip(tmp_path) -> Path:
    """The photographer moving to the right, four pixels a frame."""
    photo = load_image(EXAMPLES / "photographer.jpg")
    writer = VideoWriter(tmp_path / "walk.mp4", 10)
    for i in range(FRAMES):
        writer.add(np.roll(photo, 4 * i, axis=1))
    writer.close()
    return tmp_path / "walk.mp4"


def test_a_clip_comes_back_with_numbers_that_stay(opened, clip, tmp_path, artifacts):
    opened.get_by_role("tab", name="Video").click()
    opened.locator("#video-in input[type=file]").set_input_files(str(clip))
    opened.wait_for_selector("#video-in video")
    opened.click("#video-run")
    expect(opened.locator("#video-status")).to_contain_text(f"{FRAMES} frames", timeout=PATIENCE)
    opened.wait_for_function(
        "() => { const v = document.querySelector('#video-out video');"
        " return v && v.videoWidth === 512 && v.currentTime > 0; }",
        timeout=PATIENCE,
    )
    opened.screenshot(path=artifacts / "video-1280.png")
    answer = json.loads(saved(opened, "#video-files", "walk_poses.json", tmp_path).read_text())
    assert answer["fps"] == 10
    assert [frame["frame"] for frame in answer["frames"]] == list(range(FRAMES))
    best = [frame["people"][0] for frame in answer["frames"]]
    assert {tuple(person["person_id"]) for person in best} == {(1,)}
    neck = [person["pose_keypoints_2d"][3] for person in best]
    assert neck[-1] - neck[0] == pytest.approx(4 * (FRAMES - 1), abs=8)
    movie = saved(opened, "#video-files", "walk_skeletons.mp4", tmp_path)
    assert sum(1 for _ in read_frames(movie)) == FRAMES


def test_the_camera_is_answered_live(served, browser_type, browser_type_launch_args, tmp_path):
    photo = cv2.imread(str(EXAMPLES / "four-people.jpg"))
    feed = tmp_path / "camera.mjpeg"
    picture = cv2.resize(photo, (640, 640))
    feed.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes() * 4)
    arguments = [
        *browser_type_launch_args["args"],
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={feed}",
    ]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    try:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(served.url)
        page.wait_for_selector("#downloads a")
        page.get_by_role("tab", name="Webcam").click()
        page.get_by_text("Click to Access Webcam").click()
        page.wait_for_selector("#webcam-in video")
        page.wait_for_timeout(1500)
        page.click("#webcam-in .capture-button")
        expect(page.locator("#webcam-status")).to_contain_text("people", timeout=PATIENCE)
        expect(page.locator("#webcam-out img")).to_be_visible()
    finally:
        browser.close()


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
    assert f"person 1: {best.visible.sum()} keypoints, score {best.score:.1f}" in done.stdout


def gradio_client_for_node() -> Path | None:
    """A folder where `npm install @gradio/client` was run: the checkout or its parent."""
    root = Path(__file__).resolve().parents[2]
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
