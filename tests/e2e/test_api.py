"""The endpoints as other programs call them, against PoseEstimator called directly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from image_corpus import corpus
from places import COLLAGE, EXAMPLES

from page.api import whole
from page.photo.pictures import FieldChoice, draw_field
from page.photo.session import Side
from pose import UserError, load_image
from pose.drawing import draw_people
from pose.skeleton import KEYPOINTS

PHOTO = EXAMPLES / "astronaut.jpg"


@pytest.fixture(scope="module")
def client(served) -> Client:
    return Client(served.url, verbose=False)


def numbers(people: list[dict]) -> np.ndarray:
    """(n, 18, 3) with NaN where a keypoint is null."""
    rows = [[(k["x"], k["y"], k["score"]) for k in person["keypoints"]] for person in people]
    return np.array(rows, float).reshape(len(people), len(KEYPOINTS), 3)


def test_detect_answers_as_the_estimator(client, estimator):
    overlay, answer = client.predict(handle_file(str(PHOTO)), api_name="/detect")
    result = estimator(PHOTO)
    assert answer["width"] == answer["height"] == 512
    assert answer["image"] == PHOTO.name
    expected = np.stack([person.keypoints for person in result.people])
    np.testing.assert_allclose(numbers(answer["people"]), expected, atol=0.006)
    names = [k["name"] for k in answer["people"][0]["keypoints"]]
    assert names == [k.name for k in KEYPOINTS]
    drawn = draw_people(load_image(PHOTO), result.people)
    np.testing.assert_array_equal(load_image(overlay), drawn)


def test_detect_with_other_thresholds(client, estimator):
    photo = COLLAGE
    _, answer = client.predict(
        handle_file(str(photo)),
        "mobilenet-thin",
        "fast",
        0.2,
        0.1,
        10,
        api_name="/detect",
    )
    result = estimator(photo, preset="fast", peak_threshold=0.2, limb_threshold=0.1, min_parts=10)
    assert answer["preset"] == "fast"
    expected = [person.keypoints for person in result.people]
    assert len(answer["people"]) == len(expected) >= 1
    np.testing.assert_allclose(numbers(answer["people"]), np.stack(expected), atol=0.006)


def test_compare(client, estimator):
    first, second, answer = client.predict(
        handle_file(str(PHOTO)),
        weights_a="mobilenet-thin",
        weights_b="mobilenet-thin",
        api_name="/compare",
    )
    result = estimator(PHOTO)
    drawn = draw_people(load_image(PHOTO), result.people)
    for path in (first, second):
        np.testing.assert_array_equal(load_image(path), drawn)
    assert len(answer["a"]["people"]) == len(answer["b"]["people"]) == len(result.people)
    assert len(answer["joints"]) == len(KEYPOINTS)
    nose = answer["joints"][0]
    assert nose["name"] == "nose"
    assert nose["distance"] == 0
    assert nose["found_a"] == sum(bool(p.found[0]) for p in result.people)


@pytest.mark.parametrize(
    ("kind", "channel", "stage"),
    [("heatmap", "left wrist", 6), ("arrows", "neck – nose", 2), ("direction", "all limbs", 1)],
)
def test_field_map(client, estimator, kind, channel, stage):
    path = client.predict(
        handle_file(str(PHOTO)), kind=kind, channel=channel, stage=stage, api_name="/field_map"
    )
    result = estimator(PHOTO, stages=True)
    side = Side("", result)
    expected = draw_field([side], side, FieldChoice(kind, channel, stage))
    np.testing.assert_array_equal(load_image(path), expected)


def test_the_default_channel_of_a_paf_is_all_limbs(client):
    named, unnamed = (
        client.predict(handle_file(str(PHOTO)), kind="magnitude", **how, api_name="/field_map")
        for how in ({"channel": "all limbs"}, {})
    )
    np.testing.assert_array_equal(load_image(named), load_image(unnamed))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"weights": "../secret"}, "no weights are called"),
        ({"weights": ""}, "no weights were named"),
        ({"preset": "slow"}, "no preset is called"),
        ({"peak_threshold": 7}, "between 0 and 1"),
    ],
)
def test_mistakes_are_one_line(client, options, sentence):
    with pytest.raises(AppError) as error:
        client.predict(handle_file(str(PHOTO)), api_name="/detect", **options)
    message = str(error.value)
    assert sentence.lower() in message.lower()
    assert "\n" not in message


def test_weights_a_may_not_be_left_empty(client):
    """B's answer is not to pass for A's."""
    with pytest.raises(AppError, match=r"(?i)no weights were named"):
        client.predict(handle_file(str(PHOTO)), weights_a="", api_name="/compare")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "many"])
def test_a_whole_number_that_is_none(value):
    assert whole(None, 3, "stage") == 3
    with pytest.raises(UserError, match="stage is a whole number"):
        whole(value, 3, "stage")


def test_a_file_that_is_no_photo_is_one_line(client, tmp_path: Path):
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a photo")
    with pytest.raises(AppError, match="not a photo that can be read"):
        client.predict(handle_file(str(bad)), api_name="/detect")


def test_photos_of_every_kind_as_uploads(client, tmp_path: Path):
    """Right pixels for odd files, one line for broken ones, as `load_image` gives them."""
    wanted = ("turned-6.png", "deep.png", "float.tif", "wide.png", "whole-cmyk.jpg", "cut-5-a.jpg",
              "cut-3-a.webp", "phone.heic", "promises-50000.png", "empty.jpg", "random-4.jpg",
              "float-large.tif", "paper.pdf")  # fmt: skip
    cases = [case for case in corpus(flips=0) if case.name in wanted]
    assert len(cases) == len(wanted)
    for case in cases:
        path = tmp_path / case.name
        path.write_bytes(case.data)
        try:
            photo = load_image(path)
        except UserError as error:
            with pytest.raises(AppError) as caught:
                client.predict(handle_file(str(path)), preset="fast", api_name="/detect")
            message = str(caught.value)
            assert message.lower() == str(error).lower() and message.isprintable()
        else:
            _, answer = client.predict(handle_file(str(path)), preset="fast", api_name="/detect")
            assert (answer["height"], answer["width"]) == photo.shape[:2] == case.pixels.shape[:2]


def test_only_the_three_endpoints_are_offered(client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {"/detect", "/compare", "/field_map"}
