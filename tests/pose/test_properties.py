"""What holds for any input: decoding, geometry, exports and weights files."""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_maps import decode_with_notes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import save as safetensors_bytes

from pose import DecodeSettings, FieldMaps, UserError
from pose.decoding.field_maps import average_maps, mirror_maps
from pose.export import coco_results, csv_rows, csv_text, json_text, openpose_json
from pose.geometry import MAX_ASPECT, MIN_SIDE, STRIDE, Grid, fit
from pose.person import Person
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS, NUM_HEATMAPS, NUM_PAFS
from pose.weights.containers import open_checkpoint
from pose.weights.format_match import find_format
from pose.weights.formats import formats
from pose.weights.load import load_file

often = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# ---- decoding ----

EXTREMES = (0.0, 1.0, -1.0, 1e-45, 3.4e38, -3.4e38, np.nan, np.inf, -np.inf, 1e-20, 999.0)
grids = st.builds(
    Grid,
    st.floats(0.01, 1000),
    st.floats(0.01, 1000),
    st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
decoders = st.builds(
    DecodeSettings,
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(2, 30),
    st.integers(1, 2),
    st.integers(1, 18),
    st.floats(0, 1),
)


@st.composite
def field_maps(draw: st.DrawFn) -> FieldMaps:
    """Maps of any small size: smooth, noisy, constant or with any float32 in any cell."""
    height, width = draw(st.integers(0, 12)), draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    planes = []
    for channels in (NUM_HEATMAPS, NUM_PAFS):
        shape = (channels, height, width)
        way = draw(st.sampled_from(["noise", "bits", "extremes", "constant", "sparse"]))
        if way == "noise":
            plane = rng.normal(0.3, draw(st.sampled_from([0.1, 1, 100])), shape)
        elif way == "bits":
            plane = rng.integers(0, 2**32, shape, np.uint32).view(np.float32)
        elif way == "extremes":
            plane = rng.choice(EXTREMES, shape)
        elif way == "constant":
            plane = np.full(shape, draw(st.floats(allow_nan=True, width=32)))
        else:
            plane = np.where(rng.random(shape) < 0.05, rng.choice(EXTREMES, shape), 0.0)
        planes.append(plane.astype(draw(st.sampled_from([np.float32, np.float64, np.float16]))))
    if draw(st.booleans()):
        planes = [np.asfortranarray(p)[:, ::-1] for p in planes]
    return FieldMaps(planes[0], planes[1], draw(grids))


@pytest.mark.filterwarnings("ignore:.* encountered in cast")
@settings(often, max_examples=100)
@given(field_maps(), decoders)
def test_any_maps_give_people_that_keep_the_contract(maps, decoder):
    people, notes = decode_with_notes(maps, decoder)
    assert all(isinstance(note, str) and note.isprintable() for note in notes)
    scores = [person.score for person in people]
    assert scores == sorted(scores, reverse=True) and np.isfinite(scores).all()
    for person in people:
        assert person.keypoints.dtype == np.float32 and person.keypoints.shape == (18, 3)
        missing = person.keypoints[:, 2] == 0
        assert (np.isnan(person.keypoints[:, :2]) == missing[:, None]).all()
        assert ((person.keypoints[:, 2] >= 0) & (person.keypoints[:, 2] <= 1)).all()
        assert (~missing).sum() >= max(decoder.min_parts, 2)
    again, _ = decode_with_notes(maps, decoder)
    assert [p.keypoints.tobytes() for p in again] == [p.keypoints.tobytes() for p in people]


shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40)


@settings(often)
@given(shapes, shapes)
def test_wrong_shapes_are_a_value_error(first, second):
    maps = FieldMaps(np.ones(first, np.float32), np.ones(second, np.float32), Grid(8, 8, (80, 80)))
    right = len(first) == len(second) == 3 and first[0] == 19 and second[0] == 38
    if right and first[1:] == second[1:]:
        decode_with_notes(maps)
    else:
        with pytest.raises(ValueError, match="maps are"):
            decode_with_notes(maps)


# ---- geometry ----


@settings(often)
@given(grids, hnp.arrays(np.float64, (5, 2), elements=st.floats(-1e4, 1e4)))
def test_cells_and_pixels_are_inverse(grid, points):
    back = grid.to_image(grid.to_cells(points))
    assert np.abs(back - points).max() <= 1e-9 * max(1.0, np.abs(points).max()) + 1e-9 * 1000
    cells = points / 100
    assert np.abs(grid.to_cells(grid.to_image(cells)) - cells).max() < 1e-6


@settings(often)
@given(st.integers(1, 2500), st.integers(1, 2500), st.sampled_from([8, 64, 276, 368, 644]))
def test_any_photo_fits_the_network(height, width, short):
    picture, grid = fit(np.zeros((height, width, 3), np.uint8), short)
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    rows, columns = picture.shape[0] // 8, picture.shape[1] // 8
    assert (rows * 8, columns * 8) == picture.shape[:2]
    assert max(picture.shape) <= max(MAX_ASPECT * short + 8, MIN_SIDE)
    assert grid.image_size == (height, width)
    for used, cells in zip(grid.used_cells, (rows, columns), strict=True):
        assert used == cells or used < cells == MIN_SIDE // STRIDE
    corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    cells = grid.to_cells(corners)
    assert (
        np.allclose(cells[0], -0.5)
        and (cells[1] <= (columns - 0.5 + 1e-6, rows - 0.5 + 1e-6)).all()
    )
    maps = FieldMaps(
        np.ones((19, rows, columns), np.float32), np.ones((38, rows, columns), np.float32), grid
    )
    small = replace(maps, heatmaps=maps.heatmaps[:, :1, :1], pafs=maps.pafs[:, :1, :1])
    averaged = average_maps([mirror_maps(maps), maps, small] if rows * columns < 400 else [maps])
    assert averaged.heatmaps.shape == maps.heatmaps.shape
    assert np.isfinite(averaged.heatmaps).all()


# ---- exports ----

coordinates = st.floats(-1e6, 1e6, width=32)


@st.composite
def persons(draw: st.DrawFn) -> Person:
    """A person as the decoder may give one, on any photo."""
    keypoints = np.full((18, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    for part in draw(st.sets(st.integers(0, 17))):
        score = draw(st.floats(0, 1, width=32, exclude_min=True))
        keypoints[part] = draw(coordinates), draw(coordinates), score
    return Person(keypoints, draw(st.floats(0, 1e6)))


def strict(text: str) -> object:
    """JSON read as the standard has it: NaN and Infinity are errors."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


def rounded(person: Person) -> np.ndarray:
    """(18, 3) as an export keeps it, zeros where a keypoint is missing."""
    there = person.found[:, None]
    numbers = np.where(there, person.keypoints.astype(float), 0)
    return np.concatenate([numbers[:, :2].round(2), numbers[:, 2:].round(6)], 1)


names = st.text(min_size=1, max_size=30)


@settings(often)
@given(st.lists(persons(), max_size=4), names, st.integers(0, 10**15))
def test_exports_read_back_as_they_were(people, name, image_id):
    results = coco_results(people, image_id, name)
    assert strict(json_text(results)) == results
    coco = list(COCO_TO_KEYPOINT)
    kept = [p for p in people if p.found[coco].any()]
    assert len(results) == len(kept)
    for row, person in zip(results, kept, strict=True):
        found = np.array(row["keypoints"]).reshape(17, 3)
        assert row["image_id"] == image_id and row["file_name"] == name
        np.testing.assert_allclose(found[:, :2], rounded(person)[coco, :2], atol=0.01)
        assert (found[:, 2] == person.found[coco]).all()
    data = strict(json_text(openpose_json(people)))
    assert len(data["people"]) == len(people)
    for row, person in zip(data["people"], people, strict=True):
        found = np.array(row["pose_keypoints_2d"]).reshape(18, 3)
        np.testing.assert_allclose(found, rounded(person), atol=0.01)
    text = csv_text(csv_rows(people, name))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 18 * len(people)
    for number, row in enumerate(rows):
        person, part = people[number // 18], number % 18
        assert row["image"] == name and row["keypoint"] == KEYPOINTS[part].name
        assert (row["visible"] == "1") == bool(person.found[part])
        assert (row["x"] == "") == (not person.found[part])
        if person.found[part]:
            np.testing.assert_allclose(float(row["x"]), rounded(person)[part, 0], atol=0.01)


# ---- weights files ----

keys = st.one_of(
    st.sampled_from([key for form in formats() for key in list(form.shapes)[:6]]),
    st.text(max_size=20),
)
tensors = st.builds(
    lambda shape, kind: torch.zeros(shape, dtype=kind),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64,
                     torch.uint8, torch.bool]),
)  # fmt: skip
states = st.dictionaries(keys, tensors, max_size=8)


def saved(state: dict, way: str) -> bytes:
    """A state dict as the bytes of a file."""
    if way == "safetensors":
        return safetensors_bytes({k: v for k, v in state.items() if k != "__metadata__"})
    memory = io.BytesIO()
    if way == "npz":
        np.savez(memory, **{f"a{i}": v.float().numpy() for i, v in enumerate(state.values())})
    else:
        torch.save(state, memory, _use_new_zipfile_serialization=way == "pth")
    return memory.getvalue()


def refused_or_opened(data: bytes) -> dict | None:
    """Shapes of a file with these bytes; None where it was refused in one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.bin"
        path.write_bytes(data)
        try:
            file = open_checkpoint(path)
            for key in file.shapes:
                try:
                    assert tuple(file.read(key).shape) == tuple(file.shapes[key])
                except UserError as error:
                    assert str(error).isprintable()
            with pytest.raises(UserError) as caught:
                load_file(path)
            assert str(caught.value).isprintable()
        except UserError as error:
            assert str(error).isprintable() and str(path) in str(error)
            return None
        return dict(file.shapes)


ways = st.sampled_from(["safetensors", "pth", "legacy", "npz"])


@settings(often)
@given(states, ways)
def test_a_file_of_any_tensors_is_opened_as_it_is_or_refused(state, way):
    found = refused_or_opened(saved(state, way))
    if found is not None and way != "npz":
        assert sorted(found.values()) == sorted(tuple(t.shape) for t in state.values())


@settings(often, max_examples=80)
@given(
    states,
    ways,
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_weights_file_is_refused_or_right(state, way, share, changes):
    data = bytearray(saved(state, way))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    refused_or_opened(bytes(data[: round(len(data) * share)]) if not changes else bytes(data))


@settings(often)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x40" + bytes(7) + b"{"]),
)
def test_any_bytes_are_refused(data, start):
    assert refused_or_opened(start + data) is None


CALLS = ("os system", "posix system", "builtins eval", "builtins exec", "subprocess Popen",
         "torch load", "numpy load", "torch.serialization load", "runpy run_path")  # fmt: skip


@settings(often)
@given(st.sampled_from(CALLS), st.integers(0, 4), st.booleans(), states)
def test_no_pickle_runs_anything(call, protocol, nested, state):
    """A call hidden among tensors, under every protocol, as the old and the new format."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        module, name = call.split()
        body = f"c{module}\n{name}\n(S'touch {trace}'\ntR.".encode()
        if protocol >= 2:
            body = b"\x80" + bytes([protocol]) + body
        memory = io.BytesIO()
        torch.save(state, memory, _use_new_zipfile_serialization=False)
        data = pickle.dumps(1, max(protocol, 2)) + body if nested else body
        assert refused_or_opened(data) is None
        assert refused_or_opened(memory.getvalue() + body) in (None, shapes_of(state))
        assert os.listdir(folder) == []  # noqa: PTH208 - nothing was made


def shapes_of(state: dict) -> dict:
    return {key: tuple(value.shape) for key, value in state.items()}


@settings(often)
@given(st.dictionaries(keys, st.lists(st.integers(0, 512), max_size=4).map(tuple), max_size=10))
def test_any_keys_and_shapes_are_a_format_or_one_line(shapes):
    with pytest.raises(UserError) as caught:
        find_format(shapes, "a.pth")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("form", formats(), ids=lambda form: form.name)
def test_every_format_is_found_by_its_own_keys(form):
    assert find_format(form.shapes, "a.pth").format.name == form.name
    for key in list(form.shapes)[::17]:
        less = {k: v for k, v in form.shapes.items() if k != key}
        with pytest.raises(UserError, match="1 missing"):
            find_format(less, "a.pth")
