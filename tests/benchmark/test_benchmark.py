"""python -m benchmark: the right numbers in the right places; no time is asserted."""

import json

import numpy as np
import pytest
import torch
from places import COLLAGE

from benchmark import inference, start, subjects, video
from benchmark.__main__ import main
from benchmark.subjects import Plain, find_photos, find_weights, mosaic
from benchmark.timing import Row, alternated, ratio, table_text
from pose import decode


@pytest.fixture(scope="module")
def weights():
    return find_weights("mobilenet-thin")


@pytest.fixture(scope="module")
def photos(weights):
    return find_photos(str(COLLAGE.parent), 1, weights)


def test_cases_run_in_turns():
    calls = []
    seconds = alternated(
        {"a": lambda n: calls.append(("a", n)), "b": lambda n: calls.append(("b", n))}, 3
    )
    assert calls == [("a", 0), ("a", 0), ("b", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert [len(s) for s in seconds.values()] == [3, 3]
    assert ratio([1, 2, 30], [4, 8, 1]) == 0.5


def test_table():
    text = table_text([Row("T", "a", 2.0, "ms", 0.5, "note"), Row("U", "b", 3.0, "s")])
    assert "### T" in text and "### U" in text
    assert "| a | 2 ms | 0.5 | note |" in text
    assert "| b | 3 s |  |  |" in text


def test_the_plain_path_finds_the_people(weights, photos):
    """What we compare with really works: it finds the four people that we find."""
    plain = Plain(weights)
    (four,) = photos
    ours, theirs = decode(plain.maps(four)), plain.people(four.path)
    assert len(ours) == 4
    for person in ours:
        distances = [
            np.nanmedian(np.abs(person.keypoints[:, :2] - other.keypoints[:, :2]))
            for other in theirs
            if (other.found & person.found).any()
        ]
        assert min(distances) < 5


def test_a_mosaic_holds_the_people_of_its_photos(weights, photos):
    (four,) = photos
    picture = mosaic([four])
    assert picture.picture.shape == (1104, 1104, 3)
    assert np.array_equal(picture.picture[:368, :368], picture.picture[736:, 736:])
    assert len(decode(Plain(weights).maps(picture))) >= 9 * 3


def test_every_part_on_the_cpu(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(start, "PAGE_STARTS", 1)
    monkeypatch.setattr(start, "LARGE", (400, 300))
    monkeypatch.setattr(subjects, "SIDE", 184)
    monkeypatch.setattr(video, "FRAMES", 4)
    monkeypatch.setattr(video, "HD", (320, 180))
    target = tmp_path / "results.json"
    assert main(["--device", "cpu", "--rounds", "1", "--limit", "2", "--json", str(target)]) == 0
    content = json.loads(target.read_text())
    assert content["machine"]["torch"] == torch.__version__.split("+")[0]
    assert content["command"].startswith("python -m benchmark --device cpu")
    tables = {row["table"].split(",")[0] for row in content["rows"]}
    assert tables == {"Engines", "Decoder", "One photo", "A folder of 2 photos on the CPU",
                      "A clip of 320x180", "Start-up and memory"}  # fmt: skip
    eager = next(row for row in content["rows"] if row["name"] == "eager fp32")
    assert eager["ratio"] == 1
    assert "of the matrix product's rate" in eager["note"]
    for row in content["rows"]:
        assert row["value"] is None or row["value"] > 0, row
        assert row["value"] is not None or row["note"], row
    for name in ("peak memory of the library", "peak memory of the page"):
        peak = next(row for row in content["rows"] if row["name"] == name)
        assert peak["value"] is None or 100 < peak["value"] < 20000
    assert "### Decoder" in capsys.readouterr().out


def test_operations_of_a_network(weights):
    """mobilenet-thin: 5.7 G multiply-adds at 368x496."""
    counted = inference.flops_per_pixel(weights.network)
    assert counted == pytest.approx(2 * 5.7e9 / (368 * 496), rel=0.02)


def test_random_weights_are_the_same_each_time():
    a, b = find_weights("random-mobilenet-thin"), find_weights("random-mobilenet-thin")
    for key, value in a.network.state_dict().items():
        assert torch.equal(value, b.network.state_dict()[key])


@pytest.mark.parametrize(
    "args",
    [
        ["--parts", "everything"],
        ["--parts", "batches"],
        ["--weights", "random-nothing"],
        ["--weights", "missing"],
        ["--photos", "/nowhere"],
        ["--rounds", "0"],
    ],
)
def test_mistakes_are_one_line(args, capsys):
    assert main(["--device", "cpu", *args]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sum("python -m benchmark:" in line for line in lines) == 1


def test_the_gpus_table_runs_on_the_cpu(weights, monkeypatch):
    """Small, what runs here is what would run on a GPU."""
    monkeypatch.setattr(inference, "REPEATS", 1)
    cpu = torch.device("cpu")
    rows = inference.measure_batches(weights, cpu, rounds=1, batch=1, side=32)
    assert {row.name for row in rows} == {
        f"{p}{layout}" for p in ("fp32", "bf16", "fp16") for layout in ("", ", channels_last")
    }
    assert rows[0].ratio == 1


@pytest.mark.gpu
def test_gpu_parts(tmp_path):
    target = tmp_path / "results.json"
    status = main(["--device", "cuda", "--parts", "batches,folder", "--rounds", "2",
                   "--json", str(target)])  # fmt: skip
    assert status == 0
    names = {row["name"] for row in json.loads(target.read_text())["rows"]}
    assert {"fp16, channels_last", "network alone", "files to people"} <= names
