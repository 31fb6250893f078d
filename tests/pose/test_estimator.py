"""PoseEstimator on real photos with the bundled weights."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image
from places import COLLAGE, EXAMPLES

from pose import PRESETS, PoseEstimator, UserError, load_weights
from pose.skeleton import KEYPOINTS

FOUR = COLLAGE


def same(a, b):
    return len(a) == len(b) and all(
        np.array_equal(p.keypoints, q.keypoints, equal_nan=True) and p.score == q.score
        for p, q in zip(a, b, strict=True)
    )


def test_people_of_a_real_photo(estimator):
    result = estimator(FOUR)
    assert len(result.people) == 4
    assert result.image_size == (900, 900)
    assert result.maps.heatmaps.shape[0] == 19 and result.maps.pafs.shape[0] == 38
    timings = asdict(result.timings)
    assert set(timings) == {"preprocess", "network", "decode"}
    assert all(seconds > 0 for seconds in timings.values())
    scores = [person.score for person in result.people]
    assert scores == sorted(scores, reverse=True)
    for person in result.people:
        nose = person.keypoints[0]
        neck = person.keypoints[1]
        assert nose[2] > 0 and neck[1] > nose[1], "a head is above its neck in this photo"


def test_the_astronaut_looks_at_us(estimator):
    """Her nose is where it is in the photo, and her right shoulder is on our left."""
    best = estimator(EXAMPLES / "astronaut.jpg").people[0]
    names = {k.name: best.keypoints[i] for i, k in enumerate(KEYPOINTS)}
    assert np.hypot(*(names["nose"][:2] - (224, 122))) < 12
    assert names["right shoulder"][0] < names["left shoulder"][0]
    assert names["right eye"][0] < names["left eye"][0]


def test_kinds_of_input_answer_the_same(estimator):
    photo = Image.open(FOUR)
    from_path = estimator(FOUR)
    assert same(from_path.people, estimator(str(FOUR)).people)
    assert same(from_path.people, estimator(photo).people)
    assert same(from_path.people, estimator(np.asarray(photo)).people)


@pytest.mark.parametrize("preset", PRESETS)
def test_batch_answers_as_one_by_one(estimator, preset):
    paths = sorted(EXAMPLES.glob("*.jpg"))
    photos = [paths[0], paths[1], paths[0]]
    together = estimator.batch(photos, preset=preset)
    for photo, result in zip(photos, together, strict=True):
        assert same(result.people, estimator(photo, preset=preset).people)


def test_decoding_again_does_not_run_the_network(estimator):
    result = estimator(FOUR, preset="fast")
    before = estimator.network_runs
    assert same(estimator.decode(result.maps), result.people)
    assert len(estimator.decode(result.maps, peak_threshold=0.9)) < 4
    assert estimator.network_runs == before


def test_stages(estimator):
    result = estimator(FOUR, stages=True)
    assert len(result.stages) == 6
    assert np.array_equal(result.stages[-1].heatmaps, result.maps.heatmaps)
    assert not np.allclose(result.stages[0].heatmaps, result.maps.heatmaps, atol=0.05)
    assert estimator(FOUR).stages == ()


@pytest.mark.parametrize("preset", ["fast", "accurate"])
def test_a_mirrored_photo_has_mirrored_people(estimator, preset):
    photo = np.asarray(Image.open(FOUR))
    people = estimator(photo, preset=preset).people
    mirrored = estimator(photo[:, ::-1], preset=preset).people
    width = photo.shape[1]
    matched = 0
    for person in people:
        for other in mirrored:
            swapped = other.keypoints[[k.mirror for k in KEYPOINTS]]
            x = width - 1 - swapped[:, 0]
            both = person.found & (swapped[:, 2] > 0)
            distance = np.hypot(person.keypoints[:, 0] - x, person.keypoints[:, 1] - swapped[:, 1])
            if both.sum() >= 5 and np.median(distance[both]) < 10:
                matched += 1
    assert matched >= 3


@pytest.mark.parametrize("size", [(1, 1), (3, 12000), (12000, 2), (7, 9), (1200, 12000)])
def test_odd_sizes(estimator, size):
    result = estimator(np.full((*size, 3), 127, np.uint8), preset="fast")
    assert result.image_size == size
    for person in result.people:
        assert np.isfinite(person.keypoints[person.found]).all()


class OutOfMemory:
    """An engine that holds only so many pixels at a time, as a small GPU does."""

    def __init__(self, engine, pixels):
        self.engine, self.pixels, self.seen = engine, pixels, []

    def run(self, pictures, all_stages=False):
        self.seen.append(pictures.shape)
        if np.prod(pictures.shape[:3]) > self.pixels:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.engine.run(pictures, all_stages)


def test_out_of_memory_halves_the_batch_then_raises(monkeypatch):
    estimator = PoseEstimator.from_pretrained("mobilenet-thin", device="cpu", preset="fast")
    photo = np.asarray(Image.open(FOUR))
    whole = estimator(photo)
    forward = estimator._forward
    monkeypatch.setattr(forward, "groups", lambda inputs: [list(range(len(inputs)))])
    engine = estimator.engine
    forward.engine = OutOfMemory(engine, 2 * 368 * 368)
    with pytest.warns(UserWarning, match="2 photos at a time"):
        results = estimator.batch([photo] * 4)
    assert [len(shape) for shape in forward.engine.seen] == [4, 4, 4]
    for result in results:
        assert len(result.people) == len(whole.people)
        assert result.notes == whole.notes
    forward.engine = OutOfMemory(engine, 10)
    with pytest.raises(UserError, match="choose --device cpu"):
        estimator(photo)


def test_shift_of_the_weights_moves_the_keypoints():
    """Weights known to answer half a pixel too far right are read half a pixel further left."""
    weights = load_weights("mobilenet-thin")
    x, y = weights.shift
    assert (x, y) == (0.5, 0.3)
    metadata = {k: v for k, v in weights.card.metadata.items() if k != "shift"}
    plain = replace(weights, card=replace(weights.card, metadata=metadata))
    assert plain.shift == (0.0, 0.0)
    shifted = PoseEstimator(weights, device="cpu", preset="fast")(FOUR)
    unshifted = PoseEstimator(plain, device="cpu", preset="fast")(FOUR)
    scale = shifted.maps.grid.scale_x / 8
    found = shifted.people[0].found
    moved = unshifted.people[0].keypoints - shifted.people[0].keypoints
    assert np.allclose(moved[found, :2], (x * scale, y * scale), atol=1e-3)


@pytest.mark.parametrize(
    "options", [{"device": "tpu"}, {"preset": "slow"}, {"device": "cuda:99"}, {"name": "nothing"}]
)
def test_bad_options_are_one_line(options):
    with pytest.raises(UserError) as caught:
        PoseEstimator.from_pretrained(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
def test_cuda_answers_as_the_cpu(estimator):
    cuda = PoseEstimator.from_pretrained("mobilenet-thin", device="cuda")
    ours = cuda.batch([FOUR, FOUR])
    theirs = estimator(FOUR)
    for result in ours:
        assert np.abs(result.maps.heatmaps - theirs.maps.heatmaps).max() < 0.05
        assert len(result.people) == len(theirs.people)


def test_stream_answers_as_batch_in_order(estimator, tmp_path):
    paths = sorted(EXAMPLES.glob("*.jpg"))
    photos = [paths[0], lambda: Image.open(paths[1]), np.asarray(Image.open(paths[2])), paths[0]]
    expected = estimator.batch([paths[0], paths[1], paths[2], paths[0]], preset="fast")
    results = list(estimator.stream(photos, preset="fast"))
    for result, right in zip(results, expected, strict=True):
        assert same(result.people, right.people)
        assert result.image_size == right.image_size
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    answers = list(estimator.stream([broken, FOUR, broken], preset="fast", keep_errors=True))
    assert [isinstance(a, UserError) for a in answers] == [True, False, True]
    with pytest.raises(UserError, match=r"broken\.jpg"):
        list(estimator.stream([FOUR, broken], preset="fast"))


def test_stream_takes_no_more_than_it_needs(estimator):
    """An endless source is no problem: little is read ahead, and leaving ends the threads."""
    taken = []

    def photos():
        while True:
            taken.append(len(taken))
            yield EXAMPLES / "astronaut.jpg"

    stream = estimator.stream(photos(), preset="fast")
    assert next(stream).people
    stream.close()
    assert len(taken) < 40
    before = len(taken)
    assert next(estimator.stream([FOUR], preset="fast")).people
    assert len(taken) == before


def test_one_batch_of_a_stream_runs_together(estimator, monkeypatch):
    """As on a GPU: photos of one size in a batch, errors among them."""
    together = PoseEstimator(estimator.weights, device="cpu", preset="fast")
    monkeypatch.setattr(together, "device", torch.device("cuda"))
    monkeypatch.setattr(together._forward, "device", torch.device("cuda"))
    sizes = []
    run = together.engine.run
    monkeypatch.setattr(
        together.engine, "run", lambda p, s=False: (sizes.append(len(p)), run(p, s))[1]
    )
    photos = [FOUR, EXAMPLES / "missing.jpg", FOUR, EXAMPLES / "astronaut.jpg", FOUR]
    answers = list(together.stream(photos, batch_size=4, keep_errors=True))
    assert sizes == [3, 1], "all of these photos are square"
    assert isinstance(answers[1], UserError)
    expected = together(FOUR).people
    for i in (0, 2, 4):
        assert same(answers[i].people, expected)
