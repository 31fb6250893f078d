"""A clip: numbers that stay, files, stopping, and curves that move with the video."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from page_driver import PATIENCE, choose, saved
from PIL import Image
from places import COLLAGE, EXAMPLES
from playwright.sync_api import Page, expect

from pose import load_image
from pose.images.video import read_frames
from pose.images.video_writer import VideoWriter

FRAMES = 8

CURSOR = "() => parseFloat(document.querySelector('#curves i').style.left)"
"""Where the cursor stands, in percent of the curves' width."""


def run_clip(page: Page, clip: Path) -> None:
    """Opens the tab, puts the clip in and runs it."""
    page.get_by_role("tab", name="Video").click()
    page.locator("#video-in input[type=file]").set_input_files(str(clip))
    page.wait_for_selector("#video-in video")
    page.click("#video-run")


@pytest.fixture
def clip(tmp_path) -> Path:
    """The photographer moving to the right, four pixels a frame."""
    photo = load_image(EXAMPLES / "photographer.jpg")
    with VideoWriter(tmp_path / "walk.mp4") as writer:
        for i in range(FRAMES):
            writer.add(np.roll(photo, 4 * i, axis=1), i / 10, 0.1)
    return tmp_path / "walk.mp4"


def test_a_clip_comes_back_with_numbers_that_stay(opened, clip, tmp_path, artifacts):
    run_clip(opened, clip)
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


def test_a_stopped_clip_keeps_the_frames_so_far(opened, tmp_path):
    photo = load_image(EXAMPLES / "photographer.jpg")
    with VideoWriter(tmp_path / "long.mp4") as writer:
        for i in range(120):
            writer.add(np.roll(photo, i, axis=1), i / 10, 0.1)
    run_clip(opened, tmp_path / "long.mp4")
    expect(opened.locator("#video-status")).to_contain_text("/ 120", timeout=PATIENCE)
    opened.click("#video-stop")
    expect(opened.locator("#video-status")).to_contain_text("Stopped", timeout=PATIENCE)
    answer = json.loads(saved(opened, "#video-files", "long_poses.json", tmp_path).read_text())
    assert 1 <= len(answer["frames"]) < 120
    movie = saved(opened, "#video-files", "long_skeletons.mp4", tmp_path)
    assert sum(1 for _ in read_frames(movie)) == len(answer["frames"])


@pytest.mark.parametrize("name", ["walk.avi", "walk.gif"])
def test_a_clip_that_browsers_do_not_play_is_converted_for_the_preview(opened, tmp_path, name):
    photo = Image.fromarray(load_image(EXAMPLES / "photographer.jpg"))
    if name.endswith(".gif"):
        photo.save(tmp_path / name, save_all=True, append_images=[photo.rotate(3)], duration=200)
    else:
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("mjpeg", 5, width=photo.width, height=photo.height)
            stream.pix_fmt = "yuvj420p"
            for _ in range(2):
                container.mux(stream.encode(av.VideoFrame.from_image(photo)))
            container.mux(stream.encode())
    opened.get_by_role("tab", name="Video").click()
    expect(opened.locator("#video-other")).to_contain_text("GIF, AVI")
    with opened.expect_file_chooser() as chooser:
        opened.click("#video-other")
    chooser.value.set_files(str(tmp_path / name))
    opened.wait_for_function(
        "() => { const v = document.querySelector('#video-in video');"
        " return v && v.videoWidth === 512; }",
        timeout=PATIENCE,
    )
    opened.click("#video-run")
    expect(opened.locator("#video-status")).to_contain_text("2 frames", timeout=PATIENCE)
    answer = json.loads(saved(opened, "#video-files", "walk_poses.json", tmp_path).read_text())
    assert [frame["time"] for frame in answer["frames"]] == [0, pytest.approx(0.2, abs=1e-3)]


def test_curves_of_a_person_move_with_the_video(opened, tmp_path, artifacts):
    """Four people lean to and fro: the photo is turned about its middle."""
    photo = Image.fromarray(load_image(COLLAGE))
    with VideoWriter(tmp_path / "lean.mp4") as writer:
        for i in range(20):
            turned = photo.rotate(
                -12 * np.sin(2 * np.pi * i / 20), resample=Image.Resampling.BILINEAR
            )
            writer.add(np.asarray(turned), i / 10, 0.1)
    run_clip(opened, tmp_path / "lean.mp4")
    expect(opened.locator("#video-status")).to_contain_text("20 frames", timeout=PATIENCE)
    expect(opened.locator("#video-status")).to_contain_text("4 people")
    expect(opened.locator("#curves img")).to_be_visible(timeout=PATIENCE)
    choose(opened, "curve-person", "2")
    choose(opened, "curve-what", "trunk lean")
    expect(opened.locator("#curves tbody tr", has_text="trunk lean")).to_be_visible()
    row = opened.locator("#curves tbody tr", has_text="trunk lean").locator("td")
    low, high, extent = (float(text.strip("°")) for text in row.all_inner_texts()[:3])
    assert extent == pytest.approx(24, abs=5) and high - low == pytest.approx(extent, abs=1.5)
    curve = opened.locator("#curves .curve")
    left, right, end = (float(curve.get_attribute(f"data-{k}")) for k in ("left", "right", "end"))
    assert end == pytest.approx(2, abs=0.05)
    opened.locator("#video-out video").evaluate("v => v.pause()")
    for second in (0.5, 1.5):
        opened.evaluate(
            "t => { document.querySelector('#video-out video').currentTime = t; }", second
        )
        share = 100 * (left + (right - left) * second / end)
        opened.wait_for_function(f"() => Math.abs(({CURSOR})() - {share}) < 1")
    box = curve.bounding_box()
    curve.click(position={"x": box["width"] * (left + (right - left) / 2), "y": box["height"] / 2})
    opened.wait_for_function(
        "() => Math.abs(document.querySelector('#video-out video').currentTime - 1) < 0.05"
    )
    opened.locator("#video-curves").scroll_into_view_if_needed()
    opened.screenshot(path=artifacts / "video-curves-1280.png")
