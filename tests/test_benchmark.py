"""python -m pose benchmark: right figures in the right places; never a time."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pose import PoseEstimator, decode
from pose.__main__ import main
from pose.benchmark import on_cpu, on_gpu, start, subjects
from pose.benchmark.subjects import Plain, find_photos, find_weights, mosaic
from pose.benchmark.timing import Row, alternated, ratio, table_text

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"


@pytest.fixture(scope="module")
def weights():
    return find_weights("mobilenet-thin")


@pytest.fixture(scope="module")
def photos(weights):
    return find_photos(None, 4, weights)


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
    four = next(p for p in photos if p.path.name == "four-people.jpg")
    ours, theirs = decode(plain.maps(four)), plain.people(four.path)
    assert len(ours) == 4
    for person in ours:
        distances = [
            np.nanmedian(np.abs(person.keypoints[:, :2] - other.keypoints[:, :2]))
            for other in theirs
            if (other.visible & person.visible).any()
        ]
        assert min(distances) < 5


def test_a_mosaic_holds_the_people_of_its_photos(weights, photos):
    four = next(p for p in photos if p.path.name == "four-people.jpg")
    picture = mosaic([four])
    assert picture.picture.shape == (1104, 1104, 3)
    assert np.array_equal(picture.picture[:368, :368], picture.picture[736:, 736:])
    assert len(decode(Plain(weights).maps(picture))) >= 9 * 3


def test_every_part_on_the_cpu(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(start, "PAGE_STARTS", 1)
    target = tmp_path / "figures.json"
    status = main(["benchmark", "--device", "cpu", "--rounds", "1", "--limit", "2",
                   "--json", str(target)])  # fmt: skip
    assert status == 0
    content = json.loads(target.read_text())
    assert content["machine"]["torch"] == torch.__version__.split("+")[0]
    tables = {row["table"].split(",")[0] for row in content["rows"]}
    assert tables == {"Engines", "Decoder", "End to end", "A folder of 2 photos",
                      "Start-up and memory"}  # fmt: skip
    eager = next(row for row in content["rows"] if row["name"] == "eager fp32")
    assert eager["ratio"] == 1
    assert "of the matrix product's rate" in eager["note"]
    for row in content["rows"]:
        assert row["value"] is None or row["value"] > 0, row
        assert row["value"] is not None or row["note"], row
    for name in ("peak resident memory", "peak memory of the page"):
        peak = next(row for row in content["rows"] if row["name"] == name)
        assert peak["value"] is None or 100 < peak["value"] < 20000
    assert "### Decoder" in capsys.readouterr().out


def test_operations_of_a_network(weights):
    """mobilenet-thin: 5.7 G multiply-adds at 368x496."""
    counted = on_cpu.operations_a_pixel(weights.network)
    assert counted == pytest.approx(2 * 5.7e9 / (368 * 496), rel=0.02)


def test_outside_a_checkout_it_says_so(weights, photos, monkeypatch, tmp_path):
    monkeypatch.setattr(subjects, "PLAIN_PATH", tmp_path / "missing.py")
    (row,) = on_cpu.measure_decoder(weights, photos[:1], 1)
    assert math.isnan(row.value) and "checkout" in row.note


def test_random_weights_are_the_same_each_time():
    a, b = find_weights("random-mobilenet-thin"), find_weights("random-mobilenet-thin")
    for key, value in a.network.state_dict().items():
        assert torch.equal(value, b.network.state_dict()[key])


@pytest.mark.parametrize(
    "args",
    [
        ["--parts", "everything"],
        ["--parts", "gpu-network", "--device", "cpu"],
        ["--parts", "gpu-decoder", "--device", "cpu"],
        ["--weights", "random-nothing"],
        ["--weights", "missing"],
        ["--photos", "/nowhere"],
        ["--rounds", "0"],
    ],
)
def test_mistakes_are_one_line(args, capsys):
    assert main(["benchmark", "--device", "cpu", *args]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "python -m pose:" in line]
    assert len(lines) == 1


def test_the_gpus_tables_run_on_the_cpu(weights, photos, monkeypatch):
    """Small, and without CUDA graphs: what they run is what they would on a GPU."""
    monkeypatch.setattr(on_gpu, "REPEATS", 1)
    cpu = torch.device("cpu")
    rows = on_gpu.measure_network(weights, cpu, rounds=1, batch=1, side=64)
    assert [row.name for row in rows] == [
        f"{p}{layout}" for p in ("fp32", "bf16", "fp16") for layout in ("", ", channels_last")
    ]
    assert rows[0].ratio == 1
    estimator = PoseEstimator(weights, device="cpu", preset="fast")
    rows += on_gpu.measure_decoder(estimator, photos, rounds=1, batch=2)
    rows += on_gpu.measure_folder(estimator, photos[:1], rounds=1, batch=1, number=1)
    assert all(row.value > 0 and row.ratio > 0 for row in rows)
    names = {row.name for row in rows}
    assert {"peaks and limbs found on the device", "files to people"} <= names
    assert not estimator.decode_on_device, "it is left as it was"
    grids = on_gpu.square_batch(photos, 3)[1]
    assert len({grid.image_size for grid in grids}) == 2, "two of the examples are square"
    assert on_gpu.square_batch([], 2)[0].shape == (2, 368, 368, 3)


@pytest.mark.gpu
def test_gpu_parts(tmp_path):
    target = tmp_path / "figures.json"
    status = main(["benchmark", "--device", "cuda", "--parts", "gpu-network,gpu-decoder,gpu-folder",
                   "--rounds", "2", "--json", str(target)])  # fmt: skip
    assert status == 0
    rows = json.loads(target.read_text())["rows"]
    names = {row["name"] for row in rows}
    assert {"fp16, channels_last", "fp16, channels_last, CUDA graph", "files to people"} <= names
    assert "peaks and limbs found on the device" in names
