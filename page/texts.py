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
    "tab_many": ("Many photos", "여러 사진"),
    "tab_video": ("Video", "동영상"),
    "tab_webcam": ("Webcam", "웹캠"),
    "tab_code": ("Use from code", "코드에서 쓰기"),
    "tab_photo": ("Photo", "사진"),
    "photo": ("Your photo", "사진"),
    "examples": ("Or click an example", "예제 사진"),
    "weights_a": ("Weights A", "가중치 A"),
    "weights_b": ("Weights B, to compare", "가중치 B (비교용)"),
    "none": ("(none)", "(없음)"),
    "refresh": ("Refresh list", "목록 새로 고침"),
    "own_title": ("Use other weights", "다른 가중치 쓰기"),
    "own_file": ("Weights file", "가중치 파일"),
    "own_hub": ("Or an id on the Hugging Face Hub", "또는 Hugging Face Hub의 이름"),
    "own_hub_info": (
        "owner/repo, owner/repo@revision or owner/repo/file",
        "owner/repo, owner/repo@revision 또는 owner/repo/file",
    ),
    "own_preprocessing": ("Preprocessing", "전처리"),
    "own_auto": ("auto", "자동"),
    "own_add": ("Add", "추가"),
    "own_taken": (
        "Format {format}, preprocessing {preprocessing}; only you see these weights, for an hour.",
        "형식 {format}, 전처리 {preprocessing}. 이 가중치는 한 시간 동안 본인에게만 보입니다.",
    ),
    "preset": ("How thorough", "정밀도"),
    "preset_info": (
        "Fast looks at the photo once, at 368 px. Balanced looks at 276 and at 460 px, about twice "
        "the work of fast. Accurate looks at 276 and at 644 px, each also mirrored, about seven "
        "times the work of fast.",
        "빠름은 사진을 368픽셀로 한 번 봅니다. 보통은 276픽셀과 460픽셀로 보며 계산량은 빠름의 약 "
        "2배입니다. 정밀은 276픽셀과 644픽셀로, 좌우를 뒤집어서도 보며 계산량은 빠름의 약 "
        "7배입니다.",
    ),
    "fast": ("fast", "빠름"),
    "balanced": ("balanced", "보통"),
    "accurate": ("accurate", "정밀"),
    "run": ("Find the people", "사람 찾기"),
    "skeleton": ("Skeletons", "골격"),
    "skeleton_tab": ("Skeletons", "골격"),
    "compare_tab": ("Compare", "비교"),
    "columns_tab": ("Side by side", "나란히 보기"),
    "skeleton_hint": (
        "Click a joint to see below where the network saw it.",
        "관절을 누르면 신경망이 그 관절을 어디에서 보았는지 아래에 나타납니다.",
    ),
    "comparison": ("Drag the line: A | B", "선을 끌어 보세요: A | B"),
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
    "heatmap": ("heatmap", "히트맵"),
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
    # Drawing.
    "drawing": ("Drawing", "그리기"),
    "highlight": ("Highlight", "강조"),
    "everyone": ("everyone", "모두"),
    "switches": ("Show", "표시"),
    "show_face": ("face points", "얼굴 점"),
    "show_ids": ("numbers", "번호"),
    "show_boxes": ("boxes", "상자"),
    "show_black": ("skeletons on black", "검은 바탕의 골격"),
    "dim": ("Darken the photo", "사진 어둡게"),
    "palette": ("Colours", "색"),
    "openpose": ("a colour per limb", "팔다리마다 다른 색"),
    "sides": ("blue left, orange right", "왼쪽 파랑, 오른쪽 주황"),
    "table_of": ("Answer of", "어느 쪽의 답"),
    "truth": ("Truth (annotated)", "정답 (주석)"),
    # Comparison.
    "fact_people": ("people", "사람"),
    "fact_joints": ("keypoints found", "찾은 관절점"),
    "fact_score": ("mean keypoint score", "평균 관절점 점수"),
    "fact_network": ("network", "신경망 시간"),
    "fact_decode": ("decoding", "해석 시간"),
    "fact_oks": ("OKS, annotated person {number}", "OKS, 주석된 사람 {number}"),
    "fact_oks_mean": ("OKS, mean", "OKS 평균"),
    "choose_b": (
        "Choose weights B to compare two networks; until then the photo itself is on "
        "the other side.",
        "가중치 B를 고르면 두 신경망을 비교할 수 있습니다. 그때까지는 원본 사진과 비교합니다.",
    ),
    "by_joint": ("Difference joint by joint", "관절별 차이"),
    "found": ("{side} found", "{side} 찾음"),
    "score_of": ("{side} score", "{side} 점수"),
    "distance": ("apart, px", "거리(px)"),
    # How it works.
    "how": ("How it works, on this photo", "이 사진으로 보는 동작 원리"),
    "step_input": ("1. The photo", "1. 사진"),
    "step_input_text": (
        "is scaled to the network's size.",
        "신경망의 크기로 맞춥니다.",
    ),
    "step_heatmaps": ("2. Heatmaps", "2. 히트맵"),
    "step_heatmaps_text": (
        "say where a joint may be.",
        "관절이 있을 만한 곳을 나타냅니다.",
    ),
    "step_pafs": ("3. Affinity fields", "3. 친화 필드"),
    "step_pafs_text": (
        "say which way each limb runs; the colour is the direction.",
        "팔다리가 뻗는 방향을 색으로 나타냅니다.",
    ),
    "step_candidates": ("4. Candidates", "4. 후보"),
    "step_candidates_text": (
        "are the peaks of the heatmaps, one colour per joint.",
        "히트맵의 봉우리이며, 관절마다 색이 다릅니다.",
    ),
    "step_together": ("5. People", "5. 사람"),
    "step_together_text": (
        "are candidates joined where the fields agree.",
        "필드가 일치하는 후보들을 이은 것입니다.",
    ),
    # Many photos.
    "many_hint": (
        "Choose several photos; each appears as soon as it is done. Stop whenever you like: what "
        "is done stays, and the files hold it.",
        "여러 사진을 고르면 끝나는 대로 나타납니다. 언제든 멈출 수 있으며, 끝난 결과는 파일에 "
        "남습니다.",
    ),
    "many_photos": ("Photos", "사진들"),
    "gallery": ("Done", "완료"),
    "stop": ("Stop", "멈춤"),
    "run_all": ("Find the people in all", "모두에서 사람 찾기"),
    "weights": ("Weights", "가중치"),
    "many_none": (
        "There are no photos yet: choose some first.",
        "사진이 없습니다. 먼저 사진을 고르세요.",
    ),
    "many_done": ("{done} of {total} photos: {people}", "사진 {total}장 중 {done}장: {people}"),
    "many_start": (
        "Nothing is running. Choose photos and press the button.",
        "실행 중이 아닙니다. 사진을 고르고 버튼을 누르세요.",
    ),
    # Video.
    "video_hint": (
        "A clip of at most {seconds} seconds. Every person keeps a number through the clip. The "
        "result plays here; its keypoints are in the JSON file.",
        "최대 {seconds}초의 동영상입니다. 사람마다 번호가 유지됩니다. 결과는 여기서 재생되고 "
        "관절점은 JSON 파일에 있습니다.",
    ),
    "video_in": ("Your clip", "동영상"),
    "video_out": ("With skeletons", "골격을 그린 동영상"),
    "run_video": ("Follow the people", "사람 따라가기"),
    "video_none": (
        "There is no clip yet: upload or record one.",
        "동영상이 없습니다. 올리거나 녹화하세요.",
    ),
    "video_done": (
        "{frames} frames, {tracks} people followed, {speed} frames a second",
        "{frames}프레임, {tracks}명 추적, 초당 {speed}프레임",
    ),
    "video_cut": (
        "Only the first {seconds} seconds were taken.",
        "처음 {seconds}초만 처리했습니다.",
    ),
    "video_start": (
        "Nothing is running. Choose a clip and press the button.",
        "실행 중이 아닙니다. 동영상을 고르고 버튼을 누르세요.",
    ),
    # Webcam.
    "webcam_hint": (
        "Allow the camera and press record. Frames that come while the network is busy are "
        "dropped, so the picture does not lag. Nothing is kept.",
        "카메라를 허용하고 녹화를 누르세요. 신경망이 바쁠 때 온 프레임은 버려지므로 화면이 밀리지 "
        "않습니다. 아무것도 저장하지 않습니다.",
    ),
    "webcam_in": ("Camera", "카메라"),
    "webcam_out": ("Skeletons, live", "실시간 골격"),
    # Code.
    "code_hint": (
        "The same answers from a program. The list of all parameters is under “Use via API” at the "
        "foot of the page.",
        "프로그램에서도 같은 답을 얻을 수 있습니다. 모든 매개변수는 페이지 아래의 API 사용 안내에 "
        "있습니다.",
    ),
    "code_here": ("Without the page", "페이지 없이"),
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
    "alt_photo": ("The photo as it was given", "올린 그대로의 사진"),
    "alt_field": (
        "The photo in grey with the chosen field of the network in colour over it",
        "회색 사진 위에 신경망의 필드를 색으로 나타낸 그림",
    ),
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
for _key in ("how", "inside", "people", "take"):
    TEXTS[f"{_key}_title"] = tuple(f"## {text}" for text in TEXTS[_key])  # type: ignore[assignment]
