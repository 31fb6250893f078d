"""The skeleton table against the published facts of OpenPose's COCO model."""

import numpy as np
import pytest

from pose.skeleton import (
    ASSEMBLY_ORDER,
    COCO_TO_KEYPOINT,
    FACE,
    HEATMAP_FLIP,
    KEYPOINT_SIGMAS,
    KEYPOINTS,
    LIMB_ENDS,
    LIMBS,
    NUM_HEATMAPS,
    NUM_PAFS,
    PAF_FLIP,
    keypoint_index,
    limb_index,
)

NAMES = [
    *("nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder"),
    *("left elbow", "left wrist", "right hip", "right knee", "right ankle", "left hip"),
    *("left knee", "left ankle", "right eye", "left eye", "right ear", "left ear"),
]
# fmt: off
STORAGE_ORDER = [
    (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 2), (2, 3), (3, 4), (2, 16),
    (1, 5), (5, 6), (6, 7), (5, 17), (1, 0), (0, 14), (0, 15), (14, 16), (15, 17),
]
ASSEMBLY = [
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
]
ASSEMBLY_CHANNELS = [12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26]
# fmt: on
COCO_NAMES = [
    *("nose", "left eye", "right eye", "left ear", "right ear", "left shoulder"),
    *("right shoulder", "left elbow", "right elbow", "left wrist", "right wrist", "left hip"),
    *("right hip", "left knee", "right knee", "left ankle", "right ankle"),
]


def test_keypoints_have_the_channel_order_of_openpose():
    assert [k.name for k in KEYPOINTS] == NAMES
    assert NUM_HEATMAPS == 19
    assert NUM_PAFS == 38


def test_limbs_have_the_storage_and_assembly_order_of_openpose():
    assert [tuple(ends) for ends in LIMB_ENDS] == STORAGE_ORDER
    assert [tuple(LIMB_ENDS[i]) for i in ASSEMBLY_ORDER] == ASSEMBLY
    assert [2 * i for i in ASSEMBLY_ORDER] == ASSEMBLY_CHANNELS


def test_shoulder_ear_limbs_are_not_drawn_and_come_last():
    hidden = [i for i, limb in enumerate(LIMBS) if not limb.drawn]
    assert hidden == [9, 13]
    assert set(ASSEMBLY_ORDER[-2:]) == set(hidden)


def test_every_drawn_keypoint_has_a_limb():
    assert {end for limb in LIMBS if limb.drawn for end in (limb.start, limb.end)} == set(range(18))


def test_heatmaps_flip_as_published():
    published = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16, 18]
    assert HEATMAP_FLIP.tolist() == published


def test_pafs_flip_as_published():
    published = [
        *range(6, 12), *range(6), *range(20, 28), *range(12, 20),
        28, 29, 32, 33, 30, 31, 36, 37, 34, 35,
    ]  # fmt: skip
    assert PAF_FLIP.tolist() == published


@pytest.mark.parametrize("permutation", [HEATMAP_FLIP, PAF_FLIP], ids=["heatmaps", "pafs"])
def test_a_flip_undoes_itself(permutation):
    assert (permutation[permutation] == np.arange(len(permutation))).all()


def test_a_mirrored_limb_joins_the_mirrored_keypoints():
    for limb in LIMBS:
        twin = LIMBS[limb.mirror]
        assert (KEYPOINTS[limb.start].mirror, KEYPOINTS[limb.end].mirror) == (twin.start, twin.end)


def test_a_mirror_changes_the_side_in_the_name():
    swap = {"left": "right", "right": "left"}
    for keypoint in KEYPOINTS:
        words = keypoint.name.split()
        assert KEYPOINTS[keypoint.mirror].name == " ".join(swap.get(w, w) for w in words)


def test_coco_mapping_matches_the_published_one_and_the_names():
    published = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]
    assert list(COCO_TO_KEYPOINT) == published
    assert [KEYPOINTS[i].name for i in COCO_TO_KEYPOINT] == COCO_NAMES


def test_coco_numbers_are_the_inverse_and_only_the_neck_has_none():
    back = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    assert [k.coco for k in KEYPOINTS] == back


def test_sigmas_are_those_of_the_coco_evaluation():
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    official = cocoeval.Params(iouType="keypoints").kpt_oks_sigmas
    assert np.allclose(KEYPOINT_SIGMAS[list(COCO_TO_KEYPOINT)], official)


def test_the_face_is_what_its_name_says():
    assert {KEYPOINTS[i].name.split()[-1] for i in FACE} == {"nose", "eye", "ear"}


def test_names_are_found_and_unknown_ones_say_what_exists():
    assert [keypoint_index(name) for name in NAMES] == list(range(18))
    assert keypoint_index("Left_Wrist") == keypoint_index("left-wrist") == 7
    assert keypoint_index("background") == 18
    assert [limb_index(limb.name) for limb in LIMBS] == list(range(19))
    assert limb_index("neck - nose") == 14
    with pytest.raises(ValueError, match="left wrist"):
        keypoint_index("left thumb")
    with pytest.raises(ValueError, match="neck – nose"):
        limb_index("nose - left knee")


def test_colours_tell_keypoints_apart():
    assert len({k.color for k in KEYPOINTS}) == len(KEYPOINTS)
    assert len({limb.color for limb in LIMBS if limb.drawn}) == 17
