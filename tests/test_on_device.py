"""Decoding on the device, on PyTorch's CPU tensors: the same people as NumPy finds."""

import copy
import gc
import pickle
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_maps import draw_maps, standing
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode

from pose import DecodeSettings, FieldMaps, PoseEstimator, load_weights
from pose.decode import decode_with_notes, find_candidates, people_of
from pose.engines.base import MapArrays
from pose.networks.base import StageMaps
from pose.on_device import averaging, candidates, limbs, maps, peaks, transfer
from pose.on_device.averaging import DeviceView, average_views, mirror_view
from pose.on_device.candidates import find_candidates as find_on_device
from pose.on_device.maps import DeviceMaps, HeldMaps, Shelf
from pose.peaks import MAX_PEAKS
from pose.presets import Preset

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"
FOUR = EXAMPLES / "four-people.jpg"
PHOTOS = sorted(EXAMPLES.glob("*.jpg"))
VIEWS = (
    Preset("one view", (368,)),
    Preset("two scales", (184, 276)),
    Preset("two scales, mirrored", (184, 276), flip=True),
)
FIELDS = StageMaps._fields
PIXELS, SCORE = 1e-3, 1e-5
"""How far keypoints and scores may lie from NumPy's."""


def assert_same_people(ours, theirs):
    """Equally good people may change places: a rounding decides between them."""
    assert len(ours) == len(theirs)
    scores = [person.score for person in ours]
    assert scores == sorted(scores, reverse=True)
    ours, theirs = (sorted(p, key=lambda person: person.box) for p in (ours, theirs))
    for mine, other in zip(ours, theirs, strict=True):
        assert np.array_equal(mine.visible, other.visible)
        found = mine.visible
        assert np.abs(mine.keypoints[found, :2] - other.keypoints[found, :2]).max() < PIXELS
        assert np.abs(mine.keypoints[:, 2] - other.keypoints[:, 2]).max() < SCORE
        assert mine.score == pytest.approx(other.score, rel=SCORE)


def assert_same_candidates(ours, theirs, score=SCORE):
    """`score`: how far limbs' scores may lie apart; in noise a hair's breadth changes the PAF."""
    assert np.array_equal(ours.peaks.parts, theirs.peaks.parts)
    assert np.abs(ours.peaks.positions - theirs.peaks.positions).max(initial=0) < 1e-4
    assert np.abs(ours.peaks.scores - theirs.peaks.scores).max(initial=0) < SCORE
    for column in ("limbs", "start", "end"):
        assert np.array_equal(
            getattr(ours.connections, column), getattr(theirs.connections, column)
        )
    assert np.abs(ours.connections.scores - theirs.connections.scores).max(initial=0) < score
    assert ours.notes == theirs.notes


def view_of(several):
    stack = [torch.from_numpy(np.stack([getattr(m, k) for m in several])) for k in FIELDS]
    return DeviceView(StageMaps(*stack), tuple(m.grid for m in several))


class RunOnce:
    """The real engine, each picture run once, as the network is what costs time here."""

    def __init__(self, engine):
        self.engine, self.name, self.precision = engine, engine.name, engine.precision
        self.seen = {}

    def run_on_device(self, pictures, all_stages=False):
        answers = []
        for picture in pictures:
            key = (picture.shape, picture.tobytes(), all_stages)
            if key not in self.seen:
                self.seen[key] = self.engine.run_on_device(picture[None], all_stages)
            answers.append(self.seen[key])
        return [
            StageMaps(*map(torch.cat, zip(*s, strict=True))) for s in zip(*answers, strict=True)
        ]

    def run(self, pictures, all_stages=False):
        stages = self.run_on_device(pictures, all_stages)
        return [MapArrays(*(m.numpy() for m in stage)) for stage in stages]


@pytest.fixture(scope="module")
def weights():
    return load_weights("mobilenet-thin")


@pytest.fixture(scope="module")
def engine(weights):
    return RunOnce(PoseEstimator(weights, device="cpu").engine)


@pytest.fixture
def host(weights, engine):
    made = PoseEstimator(weights, device="cpu", preset="fast")
    made.engine = engine
    return made


@pytest.fixture
def device(weights, engine):
    made = PoseEstimator(weights, device="cpu", preset="fast")
    made.engine = engine
    made.decode_on_device = True
    return made


@pytest.mark.parametrize("preset", VIEWS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_the_same_people_in_real_photos(host, device, photo, preset):
    theirs = host(photo, preset=preset, stages=True)
    ours = device(photo, preset=preset, stages=True)
    assert theirs.people and ours.notes == theirs.notes
    assert_same_people(ours.people, theirs.people)
    assert len(ours.stages) == 6
    for mine, other in zip((*ours.stages, ours.maps), (*theirs.stages, theirs.maps), strict=True):
        assert mine.grid == other.grid
        for field in FIELDS:
            a, b = getattr(mine, field), getattr(other, field)
            assert a.dtype == np.float32 and a.shape == b.shape
            assert np.abs(a - b).max() < 1e-5


def test_photos_of_several_sizes_in_one_batch(host, device, monkeypatch):
    """All square, so the network sees one size, but each has a grid of its own."""
    monkeypatch.setattr(device, "device", torch.device("cuda"))
    photos = [FOUR, EXAMPLES / "astronaut.jpg", FOUR]
    results = device.batch(photos, preset=VIEWS[2])
    assert device.network_runs == 4, "they ran together"
    for photo, result in zip(photos, results, strict=True):
        theirs = host(photo, preset=VIEWS[2])
        assert_same_people(result.people, theirs.people)
        assert np.abs(result.maps.pafs - theirs.maps.pafs).max() < 1e-5
    streamed = list(device.stream(photos, preset=VIEWS[2], batch_size=2))
    for result, other in zip(streamed, results, strict=True):
        assert_same_people(result.people, other.people)


@pytest.mark.parametrize("thresholds", [{}, {"peak_threshold": 0.3}, {"limb_samples": 30}])
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_the_same_candidates_with_other_thresholds(host, photo, thresholds):
    found = host(photo).maps
    changed = DecodeSettings().changed(**thresholds)
    (ours,) = find_on_device(view_of([found]), changed)
    assert len(ours.connections)
    assert_same_candidates(ours, find_candidates(found, changed))


def test_decoding_again_with_other_thresholds(host, device):
    ours, theirs = device(FOUR), host(FOUR)
    before = device.network_runs
    for thresholds in ({}, {"peak_threshold": 0.4}, {"min_parts": 14}):
        assert_same_people(
            device.decode(ours.maps, **thresholds), host.decode(theirs.maps, **thresholds)
        )
    assert device.network_runs == before


@settings(deadline=None, max_examples=25)
@given(st.floats(12, 28), st.floats(14, 30), st.floats(0.8, 1.3), st.floats(1, 4))
def test_the_same_in_drawn_maps(x, y, size, apart):
    several = [
        draw_maps([standing(x, y, size)], (46, 48)),
        draw_maps([], (46, 48)),
        draw_maps([standing(x, y), standing(x + apart, y)], (46, 48)),
    ]
    found = find_on_device(view_of(several), DecodeSettings())
    for ours, drawn in zip(found, several, strict=True):
        people, notes = decode_with_notes(drawn)
        assert_same_people(people_of(ours, drawn.grid, DecodeSettings()), people)
        assert ours.notes == notes


def test_the_same_in_a_crowd():
    truth = [standing(10 + 12 * i, 10 + 15 * j, 0.6) for i in range(5) for j in range(3)]
    drawn = draw_maps(truth, (50, 70))
    (ours,) = find_on_device(view_of([drawn]), DecodeSettings())
    assert_same_candidates(ours, find_candidates(drawn, DecodeSettings()))
    assert len(people_of(ours, drawn.grid, DecodeSettings())) == 15


def random_maps(shape, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    heatmaps = scale * rng.random((19, *shape), np.float32)
    pafs = scale * rng.uniform(-1, 1, (38, *shape)).astype(np.float32)
    return FieldMaps(heatmaps, pafs, draw_maps([], shape).grid)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_small_maps(shape):
    """Where a map is one cell wide values are all alike across it, and any place is as good."""
    small = random_maps(shape)
    (ours,) = find_on_device(view_of([small]), DecodeSettings())
    theirs = find_candidates(small, DecodeSettings())
    assert np.array_equal(ours.peaks.parts, theirs.peaks.parts)
    assert np.abs(ours.peaks.scores - theirs.peaks.scores).max() < SCORE
    if min(shape) > 1:
        assert_same_candidates(ours, theirs, score=1e-4)


@pytest.mark.parametrize("fill", [0.0, 1.0, np.nan, np.inf, -np.inf])
def test_constant_maps(fill):
    people = draw_maps([standing(6, 7, 0.5)], (15, 12))
    bad = FieldMaps(
        np.full_like(people.heatmaps, fill), np.full_like(people.pafs, fill), people.grid
    )
    (ours, beside) = find_on_device(view_of([bad, people]), DecodeSettings())
    assert bool(ours.changes) == (not np.isfinite(fill)) and not beside.changes
    assert all(np.isfinite(p.score) for p in people_of(ours, bad.grid, DecodeSettings()))
    assert_same_candidates(beside, find_candidates(people, DecodeSettings()))


@pytest.mark.filterwarnings("ignore:overflow")
def test_values_beyond_all_measure_lead_to_no_place_outside_of_the_maps():
    (ours,) = find_on_device(view_of([random_maps((12, 10), scale=3e38)]), DecodeSettings())
    assert np.isfinite(ours.peaks.positions).all()
    assert (ours.peaks.positions >= -0.5).all() and (ours.peaks.positions <= (9.5, 11.5)).all()


def test_nan_cells_do_not_hide_the_people():
    drawn = draw_maps([standing(18, 20)], (46, 40))
    heatmaps, pafs = drawn.heatmaps.copy(), drawn.pafs.copy()
    heatmaps[:, 44:, :3] = np.nan
    pafs[3, 0, 0] = np.inf
    bad = replace(drawn, heatmaps=heatmaps, pafs=pafs)
    (ours,) = find_on_device(view_of([bad]), DecodeSettings())
    assert_same_candidates(ours, find_candidates(bad, DecodeSettings()))
    assert len(people_of(ours, bad.grid, DecodeSettings())) == 1
    assert "NaN" in ours.notes[0]


def test_noise_is_bounded_and_says_so():
    noise = random_maps((90, 90), seed=1)
    (ours,) = find_on_device(view_of([noise]), DecodeSettings())
    assert np.bincount(ours.peaks.parts).max() <= MAX_PEAKS
    assert any(str(MAX_PEAKS) in note for note in ours.notes)
    assert_same_candidates(ours, find_candidates(noise, DecodeSettings()), score=1e-4)


def test_a_look_waits_twice_and_fetches_no_maps(device, monkeypatch):
    fetched = []

    def counted(tensors):
        fetched.append(sum(tensor.numel() for tensor in tensors))
        return transfer.download(tensors)

    for module in (peaks, candidates, maps):
        monkeypatch.setattr(module, "download", counted)
    result = device(FOUR)
    assert result.people and len(fetched) == 2
    cells = 57 * 46 * 46
    assert sum(fetched) < cells / 5
    assert result.maps.heatmaps.shape == (19, 46, 46) and result.maps.pafs.shape == (38, 46, 46)
    assert fetched[2:] == [cells], "both are fetched at once, and once"


def test_on_cuda_nothing_else_waits_or_lies_on_the_wrong_device(monkeypatch):
    """The same program on tensors without values that claim to be on CUDA.

    What would wait for a value, or mix devices, raises; what the two waits give is taken from the
    CPU's run.
    """
    drawn = draw_maps([standing(14, 20), standing(32, 18)], (46, 48))
    answers = []

    def find(planes):
        view = DeviceView(StageMaps(*map(planes, (drawn.pafs, drawn.heatmaps))), (drawn.grid,) * 2)
        both = average_views([view, mirror_view(view)])
        return find_on_device(both, DecodeSettings())[0]

    def kept(tensors):
        answers.append(transfer.download(tensors))
        return answers[-1]

    for module in (peaks, candidates):
        monkeypatch.setattr(module, "download", kept)
    theirs = find(lambda array: torch.from_numpy(np.stack([array, array])))
    replayed = iter(answers)

    def download(tensors):
        arrays = next(replayed)
        for tensor, array in zip(tensors, arrays, strict=True):
            assert tensor.device.type == "cuda"
            assert tuple(tensor.shape) == array.shape
        return arrays

    def upload(array, device):
        assert device.type == "cuda"
        dtype = torch.from_numpy(np.ascontiguousarray(array)).dtype
        return torch.empty(array.shape, dtype=dtype, device=device)

    for module in (peaks, candidates):
        monkeypatch.setattr(module, "download", download)
    for module in (peaks, limbs, averaging):
        monkeypatch.setattr(module, "upload", upload)
    with FakeTensorMode():
        ours = find(lambda array: torch.empty((2, *array.shape), device="cuda"))
        with pytest.raises(Exception, match="nonzero"):
            torch.empty(3, device="cuda").nonzero()
    assert len(ours.connections) and not list(replayed)
    assert_same_candidates(ours, theirs)


def held_maps(number=2, shape=(46, 40)):
    return HeldMaps(StageMaps(torch.rand(number, 38, *shape), torch.rand(number, 19, *shape)))


def test_device_maps_are_field_maps():
    grid = draw_maps([], (46, 40)).grid
    held = held_maps()
    ours = DeviceMaps.of(held, 1, grid)
    assert isinstance(ours, FieldMaps) and held.size == 2 * 57 * 46 * 40 * 4
    assert ours.grid == grid and held.size, "the grid alone fetches nothing"
    for other in (pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)):
        assert np.array_equal(other.pafs, ours.pafs)
        assert np.array_equal(other.heatmaps, ours.heatmaps) and other.grid == grid
    assert held.size == 0, "the device's memory is free once they are read"
    zeros = np.zeros_like(ours.heatmaps)
    changed = replace(ours, heatmaps=zeros)
    assert changed.heatmaps is zeros and np.array_equal(changed.pafs, ours.pafs)
    with pytest.raises(AttributeError):
        ours.grid = grid


def test_threads_read_the_same_maps():
    held = held_maps()
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(held.arrays())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(seen) == 8 and all(arrays is seen[0] for arrays in seen)


def test_unread_maps_are_bounded():
    one = held_maps().size
    shelf = Shelf(limit=3 * one)
    line = [held_maps() for _ in range(5)]
    for held in line:
        shelf.put(held)
    assert [held.size > 0 for held in line] == [False, False, True, True, True]
    del line[2]
    gc.collect()
    line.append(held_maps())
    shelf.put(line[-1])
    assert [held.size > 0 for held in line] == [False, False, True, True, True]
    shelf.clear()
    assert not any(held.size for held in line)


class OutOfMemory(RunOnce):
    """Holds one photo at a time, as a small GPU does."""

    def run_on_device(self, pictures, all_stages=False):
        if len(pictures) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.engine.run_on_device(pictures, all_stages)


def test_out_of_memory_frees_what_is_held_and_halves_the_batch(host, device, monkeypatch):
    kept = device(FOUR)
    assert "pafs" not in vars(kept.maps)
    device.engine = OutOfMemory(device.engine)
    monkeypatch.setattr(device, "_grouped", lambda prepared: [list(range(len(prepared)))])
    with pytest.warns(UserWarning, match="1 photos at a time"):
        results = device.batch([FOUR, FOUR])
    assert kept.maps._held.size == 0
    for result in results:
        assert_same_people(result.people, host(FOUR).people)


@pytest.mark.gpu
def test_on_a_gpu_the_same_people_as_on_the_host():
    cuda = PoseEstimator.from_pretrained("mobilenet-thin", device="cuda")
    assert cuda.decode_on_device
    for preset in VIEWS:
        for result in cuda.batch([*PHOTOS, *PHOTOS], preset=preset):
            assert_same_people(result.people, cuda.decode(result.maps))


@pytest.mark.gpu
def test_on_a_gpu_nothing_waits_unseen():
    drawn = draw_maps([standing(14, 20), standing(32, 18)], (46, 48))
    on_host = view_of([drawn, drawn])
    view = DeviceView(StageMaps(*(m.cuda() for m in on_host.maps)), on_host.grids)
    find_on_device(view, DecodeSettings())
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = find_on_device(average_views([view, mirror_view(view)]), DecodeSettings())
    finally:
        torch.cuda.set_sync_debug_mode("default")
    both = average_views([on_host, mirror_view(on_host)])
    for ours, theirs in zip(found, find_on_device(both, DecodeSettings()), strict=True):
        assert_same_candidates(ours, theirs)
