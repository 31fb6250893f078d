"""The same photo, weights and settings give the same bytes, whichever way they are asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from page_process import page_process
from places import EXAMPLES, ROOT
from questions import Asker, without_times

from pose.export import coco_results, image_id_of, json_text, person_dict

PHOTOS = ("astronaut.jpg", "group.jpg", "photographer.jpg")
PRESET = "fast"


def text(name: str, people, place: int = 1) -> str:
    """The bytes of a photo's COCO results."""
    return json_text(coco_results(people, image_id_of(name, place), name))


@pytest.fixture(scope="module")
def expected(estimator) -> dict[str, tuple]:
    """Each photo's people, asked for alone."""
    return {name: estimator(EXAMPLES / name, preset=PRESET).people for name in PHOTOS}


def command(*arguments: str | Path) -> str:
    """What `python -m pose detect` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pose", "detect", *map(str, arguments), "--device", "cpu"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("order", [(0,), (0, 0), (2, 0, 1), (1, 0, 2, 0, 1)])
def test_a_batch_of_any_size(estimator, expected, order):
    names = [PHOTOS[i] for i in order]
    results = estimator.batch([EXAMPLES / name for name in names], preset=PRESET)
    assert [text(n, r.people) for n, r in zip(names, results, strict=True)] == [
        text(n, expected[n]) for n in names
    ]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_stream(estimator, expected, batch_size):
    names = [*PHOTOS, PHOTOS[0]]
    photos = (EXAMPLES / name for name in names)
    results = estimator.stream(photos, preset=PRESET, batch_size=batch_size)
    assert [text(n, r.people) for n, r in zip(names, results, strict=True)] == [
        text(n, expected[n]) for n in names
    ]


def test_stages_change_nothing(estimator, expected):
    people = estimator(EXAMPLES / PHOTOS[0], preset=PRESET, stages=True).people
    assert text(PHOTOS[0], people) == text(PHOTOS[0], expected[PHOTOS[0]])


def test_processes_of_one_file_and_of_a_folder(expected, tmp_path):
    first = command(EXAMPLES / PHOTOS[0], "--preset", PRESET)
    assert first == text(PHOTOS[0], expected[PHOTOS[0]])
    for name in PHOTOS:
        (tmp_path / name).symlink_to(EXAMPLES / name)
    rows = [
        row
        for place, name in enumerate(PHOTOS, start=1)
        for row in json.loads(text(name, expected[name], place))
    ]
    assert command(tmp_path, "--preset", PRESET) == json_text(rows)


def test_the_page(expected, tmp_path):
    with page_process(tmp_path) as page:
        asker = Asker(page.url, tmp_path)
        for _ in range(2):
            for name in PHOTOS[:2]:
                _, answer = asker.detect(EXAMPLES / name, preset=PRESET)
                people = [person_dict(p, i) for i, p in enumerate(expected[name], start=1)]
                assert json.dumps(without_times(answer)["people"]) == json.dumps(people)
        asker.close()
