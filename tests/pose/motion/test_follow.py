"""People followed through a clip: steadier, filled, without those of a moment."""

from itertools import islice

import cv2
import numpy as np
import pytest
from drawn_people import person_at
from places import EXAMPLES, ROOT

from pose import load_image
from pose.images.video import read_frames
from pose.motion.follow import follow
from pose.motion.tracking import Tracker
from pose.person import Person


def followed(times, people, smooth=True):
    tracker = Tracker()
    ids = [tracker.update(found, time) for found, time in zip(people, times, strict=True)]
    return follow(times, people, ids, smooth)


def test_a_real_photo_that_is_moved(estimator):
    """Pan, zoom and noise: a still keypoint's jitter falls to a third, its error does not grow."""
    photo = load_image(EXAMPLES / "photographer.jpg")
    height, width = photo.shape[:2]
    noise = np.random.default_rng(0)
    times = [i / 30 for i in range(24)]
    moves, people = [], []
    for time in times:
        zoom = 1 + 0.05 * np.sin(2 * np.pi * time / 2)
        pan = (12 * np.sin(2 * np.pi * time / 2.5), 6 * np.sin(2 * np.pi * time / 1.7))
        move = np.array(
            [
                [zoom, 0, width / 2 * (1 - zoom) + pan[0]],
                [0, zoom, height / 2 * (1 - zoom) + pan[1]],
            ]
        )
        frame = cv2.warpAffine(photo, move, (width, height), borderMode=cv2.BORDER_REFLECT)
        frame = frame + noise.normal(0, 12, photo.shape)
        moves.append(move)
        people.append(estimator(frame.clip(0, 255).astype(np.uint8), preset="fast").people)

    def on_the_photo(frames):
        """(frames, 18, 2) of the first person, with the movement undone."""
        places = np.full((len(frames), 18, 2), np.nan)
        for i, (frame, move) in enumerate(zip(frames, moves, strict=True)):
            person = frame.people[frame.ids.index(1)]
            places[i] = (person.keypoints[:, :2] - move[:, 2]) / np.diag(move[:, :2])
        return places

    raw, steady = (on_the_photo(followed(times, people, smooth)) for smooth in (False, True))
    seen = np.isfinite(raw).all((0, 2)) & np.isfinite(steady).all((0, 2))
    assert seen.sum() >= 6
    truth = np.median(raw[:, seen], axis=0)
    jitter = [np.linalg.norm(np.diff(p[:, seen], axis=0), axis=2).mean() for p in (raw, steady)]
    errors = [np.linalg.norm(p[:, seen] - truth, axis=2).mean() for p in (raw, steady)]
    assert jitter[1] <= jitter[0] / 3
    assert errors[1] <= errors[0]


def test_a_second_behind_something_keeps_the_id_of_a_walker():
    times = [i / 25 for i in range(75)]
    people = [[person_at(4 * i), person_at(900, 300)] for i in range(75)]
    for hidden in range(25, 50):
        people[hidden] = people[hidden][1:]
    frames = followed(times, people)
    assert {frame.ids for frame in frames[:25] + frames[50:]} == {(1, 2)}
    assert all(frame.ids == (2,) for frame in frames[26:49])  # too long to be filled


def test_two_who_pass_each_other_keep_their_ids():
    times = [i / 25 for i in range(60)]
    people = [[person_at(10 * i), person_at(590 - 10 * i, 30)] for i in range(60)]
    for hidden in range(28, 32):
        people[hidden] = people[hidden][:1]
    frames = followed(times, people)
    start, end = frames[0], frames[-1]
    assert start.ids == end.ids == (1, 2)
    assert end.people[0].box[0] > end.people[1].box[0]


def test_short_gaps_are_filled_and_marked():
    times = [i / 25 for i in range(40)]
    people = [[person_at(3.0 * i)] for i in range(40)]
    people[10] = []
    keypoints = people[20][0].keypoints.copy()
    keypoints[4] = (np.nan, np.nan, 0)
    people[20] = [Person(keypoints, 1.0)]
    frames = followed(times, people)
    assert frames[10].filled[0].all() and frames[20].filled[0].tolist() == [
        k == 4 for k in range(18)
    ]
    assert sum(mark.sum() for frame in frames for mark in frame.filled) == 18 + 1
    expected = person_at(30).keypoints[:, :2]
    assert np.abs(frames[10].people[0].keypoints[:, :2] - expected).max() < 0.5


def test_smoothing_does_not_lag():
    """The turns of a swing stay where and when they are."""
    times = np.arange(60) / 30
    path = 100 * np.cos(2 * np.pi * times)
    frames = followed(list(times), [[person_at(float(x))] for x in path])
    found = np.array([frame.people[0].keypoints[0, 0] for frame in frames])
    assert np.abs(found - path).max() < 3
    assert np.argmin(found[:30]) == pytest.approx(15, abs=1)


def test_people_of_a_moment_are_dropped_and_the_others_numbered():
    times = [i / 25 for i in range(50)]
    people = [[person_at(i)] for i in range(50)]
    people[0] = [person_at(800), person_at(0)]
    people[30] = [*people[30], person_at(500, 400)]
    frames = followed(times, people)
    assert all(frame.ids == (1,) for frame in frames)
    raw = followed(times, people, smooth=False)
    assert [len(frame.ids) for frame in raw][:2] == [2, 1] and len(raw[30].ids) == 2


def test_clips_of_a_few_frames_and_time_lapses_keep_everybody():
    for times in ([0.0], [0.0, 0.1, 0.2], [0.0, 2.0, 4.0, 6.0]):
        frames = followed(times, [[person_at(5 * i)] for i in range(len(times))])
        assert all(frame.ids == (1,) for frame in frames)


def test_an_empty_clip():
    assert followed([], []) == []
    assert followed([0.0, 0.1], [[], []])[1].people == ()


def test_a_somersault_in_which_nobody_is_recognised_keeps_the_id(estimator):
    """The bundled clip: one walks past, one jumps off a wall and is lost for more than a second."""
    frames = list(islice(read_frames(ROOT / "assets/clips/park.mp4"), 0, None, 3))
    people = [estimator(frame.image, preset="fast").people for frame in frames]
    steady = followed([frame.time for frame in frames], people)
    assert {number for frame in steady for number in frame.ids} == {1, 2}
    jumper = [frame.people[frame.ids.index(1)].box for frame in steady if 1 in frame.ids]
    assert jumper[0][1] < 100 and jumper[-1][0] > 650  # on the wall, and away on the lawn
    assert 2 in steady[45].ids and 1 in steady[70].ids


@pytest.mark.parametrize(
    ("after", "ids"),
    [
        ([person_at(200, 100)] * 25, {1}),
        ([person_at(200, 100, size=300)] * 25, {1, 2}),  # much nearer to the camera
        ([person_at(3000, 100)] * 25, {1, 2}),  # nobody runs that fast
    ],
)
def test_who_comes_back_is_the_same_where_place_and_height_fit(after, ids):
    people = [[person_at(0)]] * 25 + [[]] * 40 + [[person] for person in after]
    frames = followed([i / 25 for i in range(len(people))], people)
    assert {number for frame in frames for number in frame.ids} == ids
    assert not any(frame.ids for frame in frames[25:65])
