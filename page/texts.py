"""The page's texts: key → (English, Korean)."""

from __future__ import annotations

from pose import DecodeSettings
from pose.skeleton import KEYPOINTS, LIMBS

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("See the pose", "자세를 보다"),
    "lead": (
        "Finds people in a photo, joins their joints to skeletons, and shows what the network saw "
        "on the way. Everything runs on this machine.",
        "사진에서 사람을 찾아 관절을 이어 골격을 그리고, 신경망이 중간에 무엇을 보았는지 "
        "보여 줍니다. 모든 계산은 이 컴퓨터에서 이루어집니다.",
    ),
    "tab_photo": ("Photo", "사진"),
    "photo": ("Your photo", "사진"),
    "examples": ("Or click an example", "예제 사진"),
    "weights_a": ("Weights A", "가중치 A"),
    "weights_b": ("Weights B, to compare", "가중치 B (비교용)"),
    "none": ("(none)", "(없음)"),
    "refresh": ("Refresh list", "목록 새로 고침"),
    "preset": ("How thorough", "정밀도"),
    "preset_info": (
        "Fast takes about a third of balanced's time; accurate looks at the photo six times.",
        "빠름은 보통의 약 3분의 1 시간이 걸리고, 정밀은 사진을 여섯 번 봅니다.",
    ),
    "fast": ("fast", "빠름"),
    "balanced": ("balanced", "보통"),
    "accurate": ("accurate", "정밀"),
    "run": ("Find the people", "사람 찾기"),
    "skeleton": ("Skeletons", "골격"),
    "skeleton_tab": ("Skeletons", "골격"),
    "compare_tab": ("Compare with a slider", "슬라이더로 비교"),
    "columns_tab": ("Side by side", "나란히 보기"),
    "skeleton_hint": (
        "Click a joint to see below where the network saw it.",
        "관절을 누르면 신경망이 그 관절을 어디에서 보았는지 아래에 나타납니다.",
    ),
    "comparison": ("Drag the line", "선을 끌어 보세요"),
    "inside": ("Look inside the network", "신경망 속 들여다보기"),
    "inside_hint": (
        "A **heatmap** says how sure the network is that a joint lies at each place. A **part "
        "affinity field** (PAF) says in which direction a limb runs there; it is what tells "
        "whose wrist belongs to whose elbow. Both are refined in six stages.",
        "**히트맵**은 각 위치에 관절이 있을 확신의 정도를 나타냅니다. **부위 친화 필드(PAF)** 는 "
        "그 위치에서 팔다리가 뻗는 방향을 나타내며, 어느 손목이 누구의 팔꿈치에 속하는지 알려 "
        "줍니다. 둘 다 여섯 단계를 거쳐 다듬어집니다.",
    ),
    "kind": ("What to show", "표시할 것"),
    "heatmap": ("heatmap of a joint", "관절 히트맵"),
    "magnitude": ("PAF: strength", "PAF: 세기"),
    "direction": ("PAF: direction", "PAF: 방향"),
    "arrows": ("PAF: arrows", "PAF: 화살표"),
    "channel": ("Joint or limb", "관절 또는 팔다리"),
    "all_joints": ("all joints", "모든 관절"),
    "all_limbs": ("all limbs", "모든 팔다리"),
    "stage": ("Stage", "단계"),
    "stage_info": (
        "1 is the first guess, 6 the final answer",
        "1은 첫 추측, 6은 최종 답입니다",
    ),
    "field_a": ("A", "A"),
    "field_b": ("B", "B"),
    "people": ("People", "사람"),
    "people_hint": (
        "Every person has 18 keypoints. x and y are pixels of the photo from its top left corner; "
        "the score is the network's confidence, 0 to 1.",
        "한 사람은 18개의 관절점을 가집니다. x와 y는 사진 왼쪽 위에서 센 픽셀이고, 점수는 신경망의 "
        "확신도(0~1)입니다.",
    ),
    "table": ("Keypoints", "관절점"),
    "col_person": ("person", "사람"),
    "col_joint": ("keypoint", "관절점"),
    "col_x": ("x", "x"),
    "col_y": ("y", "y"),
    "col_score": ("score", "점수"),
    "col_visible": ("visible", "보임"),
    "yes": ("yes", "예"),
    "no": ("no", "아니요"),
    "downloads": ("Files", "파일"),
    "take": ("Take the results away", "결과 내려받기"),
    "take_hint": (
        "COCO results, OpenPose JSON, a CSV table, the skeletons and the field map as PNG at full "
        "size, and a ZIP with all of them.",
        "COCO 결과, OpenPose JSON, CSV 표, 원본 크기의 골격 및 필드 PNG, 그리고 이 모두를 담은 "
        "ZIP입니다.",
    ),
    "thresholds": ("Thresholds", "문턱값"),
    "thresholds_hint": (
        "Move one: the people are put together anew from the maps at hand, the network does not "
        "run again.",
        "값을 움직이면 신경망을 다시 돌리지 않고 이미 있는 맵에서 사람을 다시 조립합니다.",
    ),
    "peak_threshold": ("Joint: smallest confidence", "관절: 최소 확신도"),
    "limb_threshold": ("Limb: smallest field strength", "팔다리: 최소 필드 세기"),
    "samples_needed": (
        f"Limb: samples that must agree, of {DecodeSettings().limb_samples}",
        f"팔다리: 일치해야 하는 표본 수 ({DecodeSettings().limb_samples}개 중)",
    ),
    "min_parts": ("Person: fewest joints", "사람: 최소 관절 수"),
    "min_score": ("Person: smallest mean score", "사람: 최소 평균 점수"),
    "reset": ("Reset", "초기화"),
    # Status line.
    "count_0": ("no people", "사람 없음"),
    "count_1": ("1 person", "1명"),
    "count_n": ("{count} people", "{count}명"),
    "ran": (
        "{side} {weights}: {people} in {total} (network {network}, decoding {decode})",
        "{side} {weights}: {people}, {total} (신경망 {network}, 해석 {decode})",
    ),
    "redecoded": (
        "{side} {weights}: {people}, decoded in {decode}, network not run",
        "{side} {weights}: {people}, 해석 {decode}, 신경망은 실행하지 않음",
    ),
    "nobody": (
        "Nobody was found. Lower the thresholds, or try the preset accurate.",
        "사람을 찾지 못했습니다. 문턱값을 낮추거나 정밀 모드를 써 보세요.",
    ),
    "no_photo": (
        "There is no photo yet: upload one or click an example.",
        "사진이 없습니다. 사진을 올리거나 예제를 누르세요.",
    ),
    "expired": (
        "The photo is no longer in memory: press the button to find the people again.",
        "사진이 메모리에서 지워졌습니다. 사람 찾기를 다시 누르세요.",
    ),
    "download_needed": ("not here yet, {size} download", "아직 없음, {size} 내려받기 필요"),
    "alt_skeleton": (
        "The photo with a skeleton drawn over every person found",
        "찾은 사람마다 골격을 그린 사진",
    ),
}

for _i, _keypoint in enumerate(KEYPOINTS):
    TEXTS[f"joint_{_i}"] = (_keypoint.name, _keypoint.korean)
TEXTS[f"joint_{len(KEYPOINTS)}"] = ("background", "배경")
for _i, _limb in enumerate(LIMBS):
    TEXTS[f"limb_{_i}"] = (_limb.name, _limb.korean)
TEXTS["title_h1"] = tuple(f"# {text}" for text in TEXTS["title"])  # type: ignore[assignment]
for _key in ("inside", "people", "take"):
    TEXTS[f"{_key}_title"] = tuple(f"## {text}" for text in TEXTS[_key])  # type: ignore[assignment]
