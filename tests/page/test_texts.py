"""The status line, the table of people, languages, and messages for visitors."""

from __future__ import annotations

from string import Formatter

import gradio as gr
import pytest
from drawn_maps import draw_maps, standing
from page_results import result_of, session_of

from page.components import public_message, sentence, toast
from page.i18n.labels import keypoint_name, language_of, say
from page.i18n.texts import TEXTS
from page.images import clean_name, reduced, scaled
from page.photo.people_table import people_rows
from page.photo.pictures import KINDS
from page.photo.status import people_count, seconds, status, weights_label, weights_note
from page.photo.views import COMPARISONS, VIEWS
from page.tabs.code import address_of
from pose import PRESETS, UserError, WeightsCard, catalogue
from pose.coco_annotations import HIDDEN, LabelledPerson
from pose.drawing import PALETTES
from pose.skeleton import KEYPOINTS, LIMBS


def request(**headers: str) -> gr.Request:
    return gr.Request(headers={k.replace("_", "-"): v for k, v in headers.items()}, query_params={})


def test_status_line():
    both = session_of(result_of(draw_maps([standing(20, 20)], (40, 40)), notes=("a <b> note",)))
    text = status(both)
    assert "<b>1 person</b>, 1.6 s" in text
    assert "A first: network 1.5 s, decoding 20 ms" in text
    assert "a &lt;b&gt; note" in text
    assert "1명" in status(both, "ko")
    twice = session_of(both.a.result, both.a.result)
    assert status(twice).count("a &lt;b&gt; note") == 1
    assert [people_count(n) for n in (0, 1, 7)] == ["no people", "1 person", "7 people"]
    assert [seconds(s) for s in (0.0123, 0.9949, 0.9951)] == ["12 ms", "995 ms", "1.0 s"]


def test_people_table():
    right, left = standing(12, 20), standing(40, 20)
    left[4] = float("nan")
    people = result_of(draw_maps([right, left], (40, 60))).people
    labelled = list(map(LabelledPerson.of, people))
    labelled[0].labels[5] = HIDDEN
    rows = people_rows(labelled)
    assert len(rows) == 36
    assert [row[0] for row in rows[::18]] == [1, 2]
    missing = next(i for i, p in enumerate(people) if not p.found[4])
    assert rows[18 * missing + 4][1:] == ["right wrist", "–", "–", "–", "no"]
    x, y, score = people[0].keypoints[0]
    assert rows[0][2:] == [
        pytest.approx(x, abs=0.01),
        pytest.approx(y, abs=0.01),
        pytest.approx(score, abs=1e-3),
        "yes",
    ]
    assert rows[5][5] == "hidden"
    assert {row[0] for row in people_rows(labelled, only=1)} == {2}
    assert people_rows(labelled, only=5) == rows
    assert people_rows(labelled, "ko")[0][1] == "코"


def test_every_text_has_the_same_values_in_both_languages():
    for key, (english, korean) in TEXTS.items():
        names = [
            {name for _, name, _, _ in Formatter().parse(text) if name is not None}
            for text in (english, korean)
        ]
        assert names[0] == names[1], key
        assert english and korean
    korean = {keypoint_name(k, "ko") for k in range(19)}
    assert len(korean) == len(KEYPOINTS) + 1
    assert keypoint_name(18) == "background"
    assert say("limb_14", "ko") == "목 – 코"
    assert [say(f"limb_{i}") for i in range(19)] == [limb.name for limb in LIMBS]


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept_language": "ko-KR,ko;q=0.9"}, "ko"),
        ({"accept_language": "de"}, "en"),
        ({"accept_language": "ko", "referer": "http://a/?lang=en"}, "en"),
        ({"referer": "http://a/?lang=ko"}, "ko"),
        ({"referer": "http://a/?lang=xx"}, "en"),
    ],
)
def test_language(headers, language):
    assert language_of(request(**headers)) == language
    assert language_of(None) == "en"


def test_the_address_behind_a_proxy():
    assert address_of(request(host="a:7860")) == "http://a:7860/"
    proxied = request(host="a", x_forwarded_host="b.org, c", x_forwarded_proto="https,http")
    assert address_of(proxied) == "https://b.org/"


def test_messages_name_no_folders():
    error = UserError("cannot read /srv/secret/runs/a.pth: it is C:\\x\\y\\b.pth")
    assert public_message(error) == "cannot read a.pth: it is b.pth"
    assert public_message(UserError("see https://a.org/b/c")) == "see https://a.org/b/c"
    assert toast(error).message.startswith("Cannot read a.pth")
    commit = UserError(f"a/b@{'0a' * 20} cannot be fetched: [Errno 111] Connection refused")
    assert sentence(commit) == "A/b cannot be fetched: Connection refused"


def test_weights_in_words():
    cards = {card.name: card for card in catalogue()}
    note = weights_note([cards["mobilenet-thin"]])
    assert note.startswith("**mobilenet-thin**: ") and "Apache-2.0" in note
    hostile = WeightsCard(**{**vars(cards["mobilenet-thin"]), "title": "![x](http://a/b) <i>"})
    assert "![x](" not in weights_note([hostile]) and "<i>" not in weights_note([hostile]).replace(
        "\\<i", ""
    )
    away = WeightsCard(**{**vars(cards["mobilenet-thin"]), "present": False, "size_bytes": 7e6})
    assert "7 MB download first" in weights_label(away)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a b.jpg", "a b"),
        ("../../x.jpg", "x"),
        ("..", "photo"),
        ("", "photo"),
        ("C:\\w.jpg", "C__w"),
        ("a\x00b\n.jpg", "a_b_"),
        ("x" * 200, "x" * 80),
    ],
)
def test_names_of_files(name, clean):
    assert clean_name(name) == clean


def test_people_follow_a_photo_that_was_reduced():
    result = result_of(draw_maps([standing(20, 20)], (40, 40)))
    small = reduced(result.image, 160)
    assert small.shape[:2] == (160, 160)
    assert reduced(result.image, 1000) is result.image
    (person,) = scaled(result.people, 0.5)
    expected = (result.people[0].keypoints[:, :2] + 0.5) / 2 - 0.5
    assert abs(person.keypoints[:, :2] - expected).max() < 1e-3


def test_no_key_is_the_value_of_a_choice():
    """Gradio translates a value that is a key as well, and the server would not know it."""
    values = {*PRESETS, *KINDS, *PALETTES, *VIEWS, *COMPARISONS}
    assert not values & set(TEXTS)
