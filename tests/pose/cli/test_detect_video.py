"""python -m pose detect on videos: track ids, files, angles, overlays, and what is cut off."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from itertools import product

import numpy as np
import pandas
import pytest
from detecting import FOUR, detect, rows_of, walking_clip
from places import ROOT
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pose import load_image
from pose.images.video import read_frames
from pose.images.video_writer import VideoWriter
from pose.motion.angles import ANGLE_NAMES
from pose.skeleton import COCO_TO_KEYPOINT


def test_video_results_have_frames_times_and_track_ids(tmp_path, capsys):
    times = [0, 0.04, 0.52, 1.64]
    clip = walking_clip(tmp_path / "clip.mp4", times)
    out = tmp_path / "out"
    assert detect(clip, "--output", out / "c.json", "--overlay", out, "--on-black") == 0
    assert "4 people in 4 of 4 frames" in capsys.readouterr().err
    rows = rows_of(out / "c.json")
    found = {(row["frame"], row["time"], row["image_id"]) for row in rows}
    assert sorted(found) == [(i, time, i) for i, time in enumerate(times)]
    tracks = [sorted(r["track_id"] for r in rows if r["frame"] == i) for i in range(4)]
    assert tracks == [[1, 2, 3, 4]] * 4
    frames = list(read_frames(out / "clip.mp4"))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    assert frames[0].image.shape == (898, 898, 3)
    assert np.median(frames[0].image) < 10, "drawn on black"


def test_a_video_as_csv_and_openpose(tmp_path):
    clip = walking_clip(tmp_path / "clip.mp4", [0, 0.5])
    table, folder = tmp_path / "t.csv", tmp_path / "json"
    assert detect(clip, FOUR, "--format", "csv", "--no-track", "--output", table) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    frames = [(r["image"], r["frame"], r["time"], r["track_id"]) for r in rows]
    assert set(frames) == {
        ("clip.mp4", "0", "0.0", ""), ("clip.mp4", "1", "0.5", ""), (FOUR.name, "", "", ""),
    }  # fmt: skip
    assert detect(clip, "--format", "openpose", "--output", folder) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"clip_{i:012d}_keypoints.json" for i in (0, 1)]
    answer = json.loads((folder / names[1]).read_text())
    assert (answer["canvas_width"], answer["canvas_height"], answer["time"]) == (898, 898, 0.5)
    assert sorted(person["person_id"] for person in answer["people"]) == [[1], [2], [3], [4]]


def test_angles_and_markers_of_a_video(tmp_path):
    times = [i / 25 for i in range(6)]
    clip = walking_clip(tmp_path / "clip.mp4", times)
    table, folder = tmp_path / "angles.csv", tmp_path / "trc"
    options = ["--angles", table, "--overlay", tmp_path / "o", "--draw-angles"]
    assert detect(clip, "--format", "trc", "--output", folder, *options) == 0
    assert len(list(read_frames(tmp_path / "o" / "clip.mp4"))) == 6
    files = sorted(path.name for path in folder.iterdir())
    assert files == [f"clip_person{i}.trc" for i in (1, 2, 3, 4)]
    frame = pandas.read_csv(table)
    assert frame.groupby("frame")["person"].apply(sorted).tolist() == [[1, 2, 3, 4]] * 6
    assert frame["time"].unique() == pytest.approx(times)
    for column in ANGLE_NAMES:
        assert frame[column].dropna().between(-180, 180).all()
    assert frame["left elbow"].notna().any()
    assert detect(FOUR, "--output", tmp_path / "o.json", "--angles", table) == 0
    assert pandas.read_csv(table)["frame"].isna().all()


def test_people_of_a_moment_and_no_smoothing(tmp_path):
    """A photo flashes up in a long clip; its people count only without smoothing."""
    photo = load_image(FOUR)[1:, 1:]
    with VideoWriter(tmp_path / "clip.mp4") as clip:
        for step in range(12):
            clip.add(photo if step == 5 else np.full_like(photo, 90), step / 10, 0.1)
    for option, counts in (("--smooth", [0]), ("--no-smooth", [4, 5])):
        assert detect(tmp_path / "clip.mp4", option, "--output", tmp_path / "o.json") == 0
        assert len(rows_of(tmp_path / "o.json")) in counts


def test_mistakes_with_angles_and_markers(tmp_path, capsys):
    for options, reason in (
        (
            ["--format", "trc", "--output", tmp_path / "x"],
            "--format trc is for the people of videos",
        ),
        (["--draw-angles"], "--draw-angles is for overlays"),
        (["--angles", tmp_path], "is a folder: name a file"),
        (["--angles", tmp_path / "a", "--output", tmp_path / "a"], "are the same file"),
    ):
        assert detect(FOUR, *options) == 2
        assert reason in capsys.readouterr().err


def test_stopping_a_video_keeps_what_is_done(tmp_path):
    clip = walking_clip(tmp_path / "clip.mp4", [i / 25 for i in range(400)])
    out = tmp_path / "out.json"
    options = ["--device", "cpu", "--preset", "fast", "--overlay", str(tmp_path / "o")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pose", "detect", str(clip), "--output", str(out), *options],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
    text = ""
    while not re.search(r"[1-9]/400", text):
        text += process.stderr.read(20)
        assert process.poll() is None, text
    process.send_signal(signal.SIGINT)
    text += process.stderr.read()
    assert process.wait() == 130, text
    assert "stopped: the results up to here were written" in text
    assert "Traceback" not in text
    frames = {row["frame"] for row in rows_of(out)}
    assert frames == set(range(len(frames))) and 0 < len(frames) < 400
    assert len(list(read_frames(tmp_path / "o" / "clip.mp4"))) >= len(frames)


def test_unreadable_videos_say_why(tmp_path, capsys):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert detect(tmp_path / "no.mp4", "--overlay", tmp_path / "o") == 2
    assert "no.mp4 is not a video" in capsys.readouterr().err
    assert not list((tmp_path / "o").iterdir())


def test_a_video_that_is_cut_off_is_reported(tmp_path, capsys):
    clip = tmp_path / "clip.mp4"
    photo = load_image(FOUR)[:200, :300]
    with VideoWriter(clip) as writer:
        for step in range(30):
            writer.add(np.roll(photo, 9 * step, axis=1), step / 25, 0.04)
    whole = clip.read_bytes()
    start = whole.index(b"mdat")
    for name, share in (("half.mp4", 0.5), ("none.mp4", 0)):
        cut = start + 4 + int((len(whole) - start) * share)
        (tmp_path / name).write_bytes(whole[:cut])
    out = tmp_path / "out.json"
    assert detect(tmp_path / "half.mp4", "--output", out) == 2
    assert "half.mp4 is cut off or damaged: it ends after" in capsys.readouterr().err
    assert rows_of(out) and max(row["frame"] for row in rows_of(out)) < 29
    assert detect(tmp_path / "none.mp4", "--output", tmp_path / "none.json") == 2
    assert "none.mp4" in capsys.readouterr().err


def test_pycocotools_reads_the_people_of_a_video(tmp_path, estimator):
    """The truth is where the photo's people are in each frame."""
    clip = walking_clip(tmp_path / "clip.mp4", [i / 25 for i in range(6)])
    out = tmp_path / "people.json"
    assert detect(clip, "--output", out) == 0
    truth = COCO()
    people = estimator(load_image(FOUR)[1:, 1:], preset="fast").people
    annotations = []
    for frame, person in product(range(6), people):
        triples = person.keypoints[list(COCO_TO_KEYPOINT)] + (3 * frame, 0, 0)
        triples[:, 2] = 2 * (triples[:, 2] > 0)
        triples = np.nan_to_num(triples)
        x, y, width, height = person.box
        annotations.append({
            "id": len(annotations) + 1, "image_id": frame, "category_id": 1, "iscrowd": 0,
            "keypoints": triples.flatten().tolist(), "num_keypoints": int(triples[:, 2].sum()) // 2,
            "bbox": [x + 3 * frame, y, width, height], "area": width * height,
        })  # fmt: skip
    truth.dataset = {
        "images": [{"id": frame, "width": 897, "height": 897} for frame in range(6)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    truth.createIndex()
    loaded = truth.loadRes(str(out))
    for frame in range(6):
        found = loaded.loadAnns(loaded.getAnnIds(imgIds=frame))
        assert sorted(one["track_id"] for one in found) == [1, 2, 3, 4]
    evaluation = COCOeval(truth, loaded, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] > 0.9
