"""The texts of the pose editor: key → (English, Korean)."""

from __future__ import annotations

EDITOR_TEXTS: dict[str, tuple[str, str]] = {
    "view_correct": ("Correct", "고치기"),
    "file_annotations": ("COCO annotations, for training", "COCO 주석 (학습용)"),
    "corrected": ("A was corrected by hand.", "A를 손으로 고쳤습니다."),
    "edit_tools": ("Tools", "도구"),
    "edit_undo": ("Undo", "실행 취소"),
    "edit_redo": ("Redo", "다시 실행"),
    "edit_figure": ("Add a standing figure", "서 있는 사람 추가"),
    "edit_empty": ("Add point by point", "점 하나씩 추가"),
    "edit_drop": ("Delete person", "사람 삭제"),
    "edit_farther": ("Zoom out", "축소"),
    "edit_closer": ("Zoom in", "확대"),
    "edit_fit": ("Whole photo", "사진 전체"),
    "edit_reset": ("Back to the network's answer", "신경망 결과로 되돌리기"),
    "edit_stage": ("The photo with its skeletons", "골격을 겹친 사진"),
    "edit_people": ("People", "사람"),
    "edit_keypoints": ("Keypoints", "관절점"),
    "edit_place": ("Place", "놓기"),
    "edit_remove": ("Remove", "지우기"),
    "edit_hide": ("Hidden", "가려짐"),
    "edit_person": ("Person", "사람"),
    "edit_visible": ("visible", "보임"),
    "edit_hidden": ("hidden", "가려짐"),
    "edit_missing": ("missing", "없음"),
    "edit_nobody": ("Choose a person, or add one.", "사람을 고르거나 추가하세요."),
    "edit_whole": (
        "drag the frame to move, its corner to scale",
        "틀을 끌면 옮겨지고 모서리를 끌면 크기가 바뀝니다",
    ),
    "edit_click": ("click where it is", "있는 곳을 누르세요"),
    "edit_keys": ("Keys and gestures", "단축키와 제스처"),
    "edit_help": (
        "Drag a keypoint to move it; choose a missing one in the list and click where it is. "
        "Keys: arrows move by a pixel (with Shift by ten), Delete removes, H hides, N and P go to "
        "the next and previous keypoint, Enter places, Escape leaves a keypoint, + and − zoom, "
        "Ctrl+Z and Ctrl+Y undo and redo. Ctrl and the wheel, or two fingers, zoom. "
        "The neck follows the shoulders.",
        "관절점을 끌어 옮기고, 없는 관절점은 목록에서 고른 뒤 있는 곳을 누르세요. 단축키: 화살표는 "
        "1픽셀(Shift와 함께 10픽셀) 이동, Delete는 지우기, H는 가려짐, N과 P는 다음과 이전 관절점, "
        "Enter는 놓기, Escape는 선택 해제, +와 −는 확대와 축소, "
        "Ctrl+Z와 Ctrl+Y는 실행 취소와 다시 실행입니다. "
        "Ctrl과 휠 또는 두 손가락으로 확대합니다. 목은 두 어깨를 따라갑니다.",
    ),
    "collect_heading": ("### Collect photos to train on", "### 학습할 사진 모으기"),
    "collect_hint": (
        "Once its skeletons are right, add the photo: the set trains as it is, see "
        "docs/your-own-photos.md.",
        "골격이 맞으면 사진을 추가하세요. 모은 것은 그대로 학습에 쓰입니다. "
        "docs/your-own-photos.md를 보세요.",
    ),
    "collect_add": ("Add to my training set", "내 학습 세트에 추가"),
    "collect_load": ("Load annotations (ZIP or COCO JSON)", "주석 불러오기 (ZIP 또는 COCO JSON)"),
    "collect_photos": ("Photo of the loaded set", "불러온 세트의 사진"),
    "collect_zip": ("Training set", "학습 세트"),
    "collect_kept": (
        "{name} is in {folder}, {people}. Photos there: {count}.",
        "{name} 사진을 {folder}에 넣었습니다 ({people}). 들어 있는 사진: {count}장.",
    ),
    "collect_packed": (
        "{name} is in the ZIP, {people}. Photos in it: {count}. The server forgets them when "
        "this page is closed: download the ZIP.",
        "{name} 사진을 ZIP에 넣었습니다 ({people}). 들어 있는 사진: {count}장. 이 페이지를 닫으면 "
        "서버에서 지워지니 ZIP을 내려받으세요.",
    ),
    "collect_loaded": (
        "{name} has annotations of {count} photos.",
        "{name}에 사진 {count}장의 주석이 있습니다.",
    ),
    "collect_shown": (
        "The annotated people are shown: {people}.",
        "주석의 사람을 보여 줍니다: {people}.",
    ),
    "collect_choose": (
        "Choose one of its photos, or upload a photo that it names, such as {names}.",
        "그 사진 가운데 하나를 고르거나, 적힌 이름의 사진을 올리세요. 예: {names}.",
    ),
    "collect_outside": (
        "Left out, being outside the photo: {count} keypoints.",
        "사진 밖에 있어 뺀 관절점: {count}개.",
    ),
}
