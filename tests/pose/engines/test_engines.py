"""Engines on the bundled weights and real photos: right, repeatable, chosen and cached."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from places import COLLAGE, EXAMPLES, ROOT

from pose import PoseEstimator, UserError, load_image, load_weights
from pose.engines import choice, device, exported, torch_engine
from pose.engines.bf16 import MEAN_TOLERANCE, bf16_copy, map_error
from pose.engines.cache import CACHE_VARIABLE, KEPT_FILES, prune
from pose.engines.choice import make_engine
from pose.engines.torch_engine import TorchEngine
from pose.geometry import fit
from pose.networks.build import OpenPoseNet

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights():
    return load_weights("mobilenet-thin")


@pytest.fixture(scope="module")
def picture(weights):
    photo = load_image(EXAMPLES / "photographer.jpg")
    return fit(photo, 256, weights.preprocessing.border())[0]


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "engines"


@pytest.fixture(scope="module")
def reference(weights, picture):
    return TorchEngine(weights.network, weights.preprocessing, CPU).run(picture[None], True)


def built(weights, engine, precision="auto"):
    pytest.importorskip(engine)
    made = make_engine(weights, CPU, engine, precision)
    assert made.notes == (), "it did not fall back to PyTorch"
    assert made.engine.name == engine
    return made.engine


@pytest.mark.parametrize("engine", ["openvino"])
def test_fp32_engines_give_pytorchs_maps(engine, weights, picture, reference, fresh_cache):
    runner = built(weights, engine, "fp32")
    every = runner.run(picture[None], all_stages=True)
    (last,) = runner.run(picture[None])
    assert len(every) == 6
    for stage, expected in zip(every, reference, strict=True):
        assert np.abs(stage.pafs - expected.pafs).max() < 1e-3
        assert np.abs(stage.heatmaps - expected.heatmaps).max() < 1e-3
    assert np.array_equal(last.pafs, every[-1].pafs)
    # Another size, by the same compiled graph.
    narrow = np.ascontiguousarray(picture[:200, :304])
    expected = TorchEngine(weights.network, weights.preprocessing, CPU).run(narrow[None])
    assert map_error(runner.run(narrow[None]), expected).largest < 1e-3


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_same_bytes_again_and_in_any_batch(engine, weights, picture, fresh_cache):
    if engine != "torch":
        pytest.importorskip(engine)
    runner = make_engine(weights, CPU, engine).engine
    alone = runner.run(picture[None])[-1]
    assert np.array_equal(runner.run(picture[None])[-1].pafs, alone.pafs)
    batch = runner.run(np.stack([picture[:, ::-1], picture, picture]))[-1]
    for i in (1, 2):
        assert np.array_equal(batch.pafs[i], alone.pafs[0])
        assert np.array_equal(batch.heatmaps[i], alone.heatmaps[0])
    assert not np.array_equal(batch.pafs[0], alone.pafs[0])


def test_openvino_sends_no_statistics(tmp_path):
    """Its import would write a client id into the home folder and send an event."""
    pytest.importorskip("openvino_telemetry")
    code = (
        "import sys; from pose.engines.openvino_engine import import_openvino; "
        "import_openvino(); from openvino.tools.ovc import telemetry_utils; "
        "print(telemetry_utils.tm.__name__, 'openvino_telemetry' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "CI"} | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "False"]
    assert list(tmp_path.iterdir()) == []


DROPPED_ELSEWHERE = """
import faulthandler, os, signal, sys, threading
from pose import PoseEstimator

faulthandler.enable()
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
estimators = [PoseEstimator.from_pretrained("mobilenet-thin", device="cpu", engine="openvino")]
estimators[0](sys.argv[1])
thread = threading.Thread(target=estimators.clear)
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
assert heard
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_an_engine_dropped_by_another_thread_leaves_signals_alone():
    pytest.importorskip("openvino")
    photo = COLLAGE
    done = subprocess.run([sys.executable, "-c", DROPPED_ELSEWHERE, str(photo)],
                          cwd=EXAMPLES.parents[1],
                          capture_output=True, text=True, timeout=240, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_network_typed_for_bf16_stays_close(weights, picture, reference):
    before = {key: value.clone() for key, value in weights.network.state_dict().items()}
    typed = TorchEngine(weights.network, weights.preprocessing, CPU)
    typed.network = bf16_copy(weights.network)
    error = map_error(typed.run(picture[None]), reference)
    assert 0 < error.mean < MEAN_TOLERANCE
    # The same network with every layer in bfloat16 does not pass.
    rounded = TorchEngine(weights.network, weights.preprocessing, CPU, "bf16")
    assert map_error(rounded.run(picture[None]), reference).mean > 1.5 * error.mean
    after = weights.network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_openpose_typed_for_bf16():
    torch.manual_seed(0)
    network = OpenPoseNet().eval()
    image = torch.rand(1, 3, 48, 64)
    with torch.inference_mode():
        stages = bf16_copy(network)(image)
        expected = network(image)
    assert len(stages) == 6
    assert stages[-1].pafs.dtype == torch.float32
    for maps, right in zip(stages[0], expected[0], strict=True):
        assert maps.shape == right.shape
        assert (maps - right).abs().max() < 0.02 * right.abs().max()


def test_openvino_bf16_finds_the_same_people(weights, fresh_cache):
    pytest.importorskip("openvino")
    ours = PoseEstimator(weights, device="cpu", engine="openvino", precision="bf16")
    assert (ours.engine.name, ours.engine.precision, ours.notes) == ("openvino", "bf16", ())
    theirs = PoseEstimator(weights, device="cpu", engine="torch", precision="fp32")
    for photo in (COLLAGE, EXAMPLES / "astronaut.jpg"):
        a, b = ours(photo), theirs(photo)
        assert len(a.people) == len(b.people)
        best, other = a.people[0].keypoints, b.people[0].keypoints
        both = (best[:, 2] > 0) & (other[:, 2] > 0)
        assert both.sum() >= 10
        assert np.median(np.abs(best[both, :2] - other[both, :2])) < 1


def test_the_export_and_the_trial_are_made_once(weights, fresh_cache, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr(choice, "cpu_has_bf16", lambda: False)
    first = make_engine(weights, CPU)
    files = {path: path.stat().st_mtime_ns for path in fresh_cache.iterdir()}
    assert sorted(path.suffix for path in files) == [".json", ".onnx"]

    def never(*args):
        raise AssertionError("made again")

    monkeypatch.setattr(exported, "write_onnx", never)
    monkeypatch.setattr(choice, "compare", never)
    second = make_engine(weights, CPU)
    assert first.engine.name == second.engine.name
    assert {path: path.stat().st_mtime_ns for path in fresh_cache.iterdir()} == files


@pytest.mark.parametrize(
    ("trial", "name", "precision"),
    [
        ({"bf16": (0.001, 0.1, 0.3), "fp32": (0, 0, 0.5)}, "openvino", "bf16"),
        ({"bf16": (0.006, 0.1, 0.3), "fp32": (0, 0, 0.5)}, "openvino", "fp32"),
        ({"bf16": (0.006, 0.1, 0.3), "fp32": (0, 0.1, 0.5)}, "torch", "fp32"),
        ({"bf16": (0.001, 0.1, 1.3), "fp32": (0, 0, 1.2)}, "torch", "fp32"),
    ],
)
def test_auto_takes_what_is_right_and_faster(
    trial, name, precision, weights, fresh_cache, monkeypatch
):
    """Trials with figures chosen for the test: right and fast, wrong, slow."""
    pytest.importorskip("openvino")
    monkeypatch.setattr(choice, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(torch_engine, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(choice, "compare", lambda w, e: choice.Trial(*trial[e.precision], True))
    engine = make_engine(weights, CPU).engine
    assert (engine.name, engine.precision) == (name, precision)


def test_a_failure_falls_back_with_one_note_or_is_an_error(weights, fresh_cache, monkeypatch):
    """`auto` answers all the same; a named engine must not be replaced in silence."""

    def broken(*args, **kwargs):
        raise RuntimeError("no such primitive\nmore lines")

    monkeypatch.setattr(choice, "OpenVinoEngine", broken)
    made = make_engine(weights, CPU, "auto")
    assert made.engine.name == "torch"
    assert made.notes == ("PyTorch runs the network: openvino failed (no such primitive).",)
    estimator = PoseEstimator(weights, device="cpu")
    assert made.notes[0] in estimator(EXAMPLES / "astronaut.jpg", preset="fast").notes
    with pytest.raises(UserError, match=r"\(no such primitive\): choose the engine torch"):
        make_engine(weights, CPU, "openvino")


def test_an_unclear_trial_is_made_again(weights, fresh_cache, monkeypatch):
    """A busy machine must not decide for good."""
    pytest.importorskip("openvino")
    monkeypatch.setattr(choice, "cpu_has_bf16", lambda: False)
    trials = iter([choice.Trial(0, 0, 1.1, False), choice.Trial(0, 0, 0.5, True)])
    monkeypatch.setattr(choice, "compare", lambda weights, engine: next(trials))
    assert make_engine(weights, CPU).engine.name == "torch"
    for _ in range(2):  # the second time from the cache
        made = make_engine(weights, CPU)
        assert (made.engine.name, "0.50" in made.reason) == ("openvino", True)


def test_when_a_comparison_is_clear():
    assert choice.is_clear([0.9] * 4 + [1.1])
    assert choice.is_clear([1.1] * 5)
    assert not choice.is_clear([0.9, 1.1, 0.9, 1.1, 0.9])


def test_without_openvino_pytorch_runs(weights, monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert make_engine(weights, CPU).engine.name == "torch"
    with pytest.raises(UserError, match="pip install openvino"):
        make_engine(weights, CPU, "openvino")


def test_a_cache_that_cannot_be_written(weights, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    assert built(weights, "openvino").name == "openvino"


def test_a_damaged_export_is_made_anew(weights, fresh_cache):
    built(weights, "openvino")
    (path,) = fresh_cache.glob("*.onnx")
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[: whole // 2])
    built(weights, "openvino")
    assert path.stat().st_size == whole


def test_weights_without_a_file_run_in_pytorch(weights):
    assert make_engine(replace(weights, sha256=""), CPU).engine.name == "torch"
    with pytest.raises(UserError, match="choose the engine torch"):
        make_engine(replace(weights, sha256=""), CPU, "openvino")


def test_prune_keeps_the_newest(tmp_path):
    for number in range(KEPT_FILES + 3):
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(b"")
        os.utime(path, (number, number))
    prune(tmp_path)
    assert {int(p.stem) for p in tmp_path.iterdir()} == set(range(3, KEPT_FILES + 3))


def test_prune_keeps_the_new_file_when_the_clock_was_set_back(tmp_path):
    for number in range(KEPT_FILES + 3):
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(b"")
        os.utime(path, (2e9 + number, 2e9 + number))
    new = tmp_path / "new.onnx"
    new.write_bytes(b"")
    prune(tmp_path, new=new)
    assert new.exists()
    assert len(list(tmp_path.iterdir())) == KEPT_FILES


@pytest.mark.parametrize(
    ("engine", "precision"),
    [("steam", "auto"), ("auto", "fp8"), ("auto", "fp16"), ("onnxruntime", "auto")],
)
def test_names_and_combinations(engine, precision):
    with pytest.raises(UserError) as caught:
        PoseEstimator.from_pretrained(device="cpu", engine=engine, precision=precision)
    assert "\n" not in str(caught.value)


def test_pytorch_takes_bf16_only_within_the_tolerance(weights, monkeypatch):
    """The bundled weights lose too much; so does no network whose maps are small."""
    monkeypatch.setattr(torch_engine, "cpu_has_bf16", lambda: True)
    engine = TorchEngine(weights.network, weights.preprocessing, CPU, "auto")
    assert engine.precision == "fp32"
    monkeypatch.setattr(torch_engine, "MAX_TOLERANCE", 1.0)
    assert TorchEngine(weights.network, weights.preprocessing, CPU, "auto").precision == "bf16"
    monkeypatch.setattr(torch_engine, "cpu_has_bf16", lambda: False)
    assert TorchEngine(weights.network, weights.preprocessing, CPU, "auto").precision == "fp32"


def test_the_processor_is_asked():
    assert device.cpu_has_bf16() in (True, False)
    assert device.processor_name()
