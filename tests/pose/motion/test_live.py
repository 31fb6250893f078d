"""People of a live stream: steady at rest, without lag in movement."""

import numpy as np
from drawn_people import person_at

from pose.decoding.second_pass import body_height
from pose.motion.live import LivePeople
from pose.person import Person
from pose.skeleton import keypoint_index

RATE = 15
WRIST = keypoint_index("right wrist")


def shown(people):
    """(frames, 18, 3) of a stream with one person or nobody in each frame; NaN for nobody."""
    live = LivePeople()
    places = np.full((len(people), 18, 3), np.nan)
    for i, found in enumerate(people):
        steady, ids = live.update(found, i / RATE)
        assert ids == (1,) * len(found)
        if found:
            places[i] = steady[0].keypoints
    return places


def noisy(person, noise):
    keypoints = person.keypoints.copy()
    keypoints[:, :2] += noise.normal(0, 1, (18, 2))
    return Person(keypoints, person.score)


def test_at_rest_jitter_and_error_fall():
    noise = np.random.default_rng(0)
    people = [[noisy(person_at(0), noise)] for _ in range(90)]
    raw = np.stack([found[0].keypoints for found in people])
    truth = person_at(0).keypoints[:, :2]
    paths = [places[15:, :, :2] for places in (raw, shown(people))]
    jitter = [np.linalg.norm(np.diff(path, axis=0), axis=2).mean() for path in paths]
    error = [np.linalg.norm(path - truth, axis=2).mean() for path in paths]
    assert jitter[1] <= jitter[0] / 2.5
    assert error[1] <= error[0] / 1.5


def test_a_fast_movement_is_shown_less_than_a_frame_late():
    """A wrist to and fro at up to two body heights a second."""
    times = np.arange(60) / RATE
    path = body_height(person_at(0)) / np.pi * np.sin(2 * np.pi * times)
    people = []
    for x in path:
        keypoints = person_at(0).keypoints
        keypoints[WRIST, 0] = x
        people.append([Person(keypoints, 1.0)])
    found = shown(people)[:, WRIST, 0]
    late = [np.abs(found - np.interp(times - s, times, path)).mean() for s in (0, 1 / RATE)]
    assert late[0] < late[1]


def test_a_keypoint_that_comes_back_and_ids_after_a_gap():
    keypoints = person_at(50).keypoints.copy()
    keypoints[3] = (np.nan, np.nan, 0)
    without = Person(keypoints, 1.0)
    people = [[person_at(50)]] * 5 + [[without]] * 5 + [[]] * 5 + [[person_at(50)]]
    places = shown(people)
    assert np.isnan(places[5:10, 3, :2]).all() and not places[5:10, 3, 2].any()
    assert np.allclose(places[-1], person_at(50).keypoints)
