"""The page's texts: key → (English, Korean)."""

from __future__ import annotations

from page.i18n.editor import EDITOR_TEXTS
from page.i18n.motion import MOTION_TEXTS
from pose import DecodeSettings
from pose.skeleton import KEYPOINTS, LIMBS

TEXTS: dict[str, tuple[str, str]] = {
    "heading": (
        "# See the pose\n\nFinds the people in a photo, and shows how the network does it.",
        "# 포즈 보기\n\n사진 속 사람을 찾고, 신경망이 어떻게 찾는지 보여 줍니다.",
    ),
    "tab_many": ("Many photos", "여러 사진"),
    "tab_video": ("Video", "동영상"),
    "tab_webcam": ("Webcam", "웹캠"),
    "tab_code": ("Use from code", "코드에서 쓰기"),
    "tab_photo": ("Photo", "사진"),
    "photo_label": ("Photo", "사진"),
    "examples": ("Examples", "예제"),
    "weights_a": ("Weights A", "가중치 A"),
    "weights_b": ("Weights B", "가중치 B"),
    "none": ("(none)", "(없음)"),
    "refresh": ("Refresh list", "목록 새로 고침"),
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
    "preset": ("Quality", "분석 품질"),
    "preset_fast": ("fast", "빠르게"),
    "preset_balanced": ("balanced", "균형"),
    "preset_accurate": ("accurate", "정확하게"),
    "run": ("Find the people", "사람 찾기"),
    "comparison": ("A | B", "A | B"),
    "kind": ("Show the PAF as", "PAF 표시 방식"),
    "kind_direction": ("direction", "방향"),
    "kind_arrows": ("arrows", "화살표"),
    "channel": ("Keypoint or limb", "관절점 또는 팔다리"),
    "all_keypoints": ("all keypoints", "모든 관절점"),
    "all_limbs": ("all limbs", "모든 팔다리"),
    "stage": ("Stage", "단계"),
    "people": ("Keypoints", "관절점"),
    "people_hint": (
        "The keypoints of the person picked above, or of the first. x and y are pixels of the "
        "photo from its top left corner; the score is the confidence of the network, 0 to 1.",
        "위에서 고른 사람, 또는 첫 번째 사람의 관절점입니다. x와 y는 사진 왼쪽 위에서 잰 "
        "픽셀이고, 점수는 신경망의 확신도(0~1)입니다.",
    ),
    "col_person": ("person", "사람"),
    "col_keypoint": ("keypoint", "관절점"),
    "col_x": ("x", "x"),
    "col_y": ("y", "y"),
    "col_score": ("score", "점수"),
    "col_visible": ("visible", "보임"),
    "yes": ("yes", "예"),
    "no": ("no", "아니요"),
    "downloads": ("Files", "파일"),
    "thresholds": ("Thresholds", "임곗값"),
    "thresholds_hint": (
        "Move a threshold, and the people are assembled again from the same maps; the network "
        "does not run again.",
        "임곗값을 움직이면 신경망을 다시 실행하지 않고 같은 맵에서 사람을 다시 조립합니다.",
    ),
    "peak_threshold": ("Keypoint: least confidence", "관절점: 최소 확신도"),
    "limb_threshold": ("Limb: least PAF strength", "팔다리: 최소 PAF 세기"),
    "samples_needed": (
        f"Limb: samples that must agree, of {DecodeSettings().limb_samples}",
        f"팔다리: 일치해야 하는 표본 수 ({DecodeSettings().limb_samples}개 중)",
    ),
    "min_parts": ("Person: fewest keypoints", "사람: 최소 관절점 수"),
    "min_score": ("Person: least mean score", "사람: 최소 평균 점수"),
    "reset": ("Reset thresholds", "임곗값 초기화"),
    "views": ("View", "보기"),
    "canvas": ("Result", "결과"),
    "view_skeletons": ("Skeletons", "골격"),
    "view_heatmap": ("Heatmap", "히트맵"),
    "view_paf": ("PAF", "PAF"),
    "view_black": ("On black", "검은 바탕"),
    "view_compare": ("Compare", "비교"),
    "kind_magnitude": ("strength", "세기"),
    "opacity": ("Opacity", "불투명도"),
    "play": ("Play 1–6", "1–6 재생"),
    "legend_heatmap": ("confidence", "확신도"),
    "legend_length": ("length", "길이"),
    "legend_direction": (
        "The colour is the direction of the limb: red right, green down, cyan left, violet up.",
        "색은 팔다리의 방향입니다: 빨강 오른쪽, 초록 아래, 청록 왼쪽, 보라 위.",
    ),
    "sure": ("How sure", "확신도"),
    "left": ("left", "왼쪽"),
    "right": ("right", "오른쪽"),
    "size": ("Shorter side", "짧은 변"),
    "size_photo": ("as the photo", "사진과 같게"),
    "size_info": (
        "For ControlNet: no numbers or boxes, its colours and widths, sides in multiples of "
        "64. Download as “On black”.",
        "ControlNet용: 번호와 상자 없이 ControlNet의 색과 굵기로 그리며, 변은 64의 "
        "배수입니다. “검은 바탕”으로 내려받으세요.",
    ),
    "side": ("Result of", "결과"),
    "compare_mode": ("Compare", "비교 방식"),
    "compare_slider": ("drag the line", "선 끌기"),
    "compare_columns": ("side by side", "나란히"),
    "compare_differences": ("differing keypoints", "다른 관절점"),
    "alt_comparison": (
        "A and B side by side, or the keypoints in which they differ: A yellow, B pink",
        "A와 B를 나란히 둔 그림, 또는 서로 다른 관절점: A 노랑, B 분홍",
    ),
    "differing": (
        "{count} keypoints differ: A yellow, B pink.",
        "다른 관절점 {count}개: A 노랑, B 분홍.",
    ),
    "download": ("Download", "내려받기"),
    "file_everything": ("everything (ZIP)", "전부 (ZIP)"),
    "file_coco": ("COCO results", "COCO 결과"),
    "file_openpose": ("keypoints, OpenPose", "관절점, OpenPose"),
    "file_csv": ("keypoints, CSV", "관절점, CSV"),
    "file_skeletons": ("skeletons, PNG", "골격, PNG"),
    "file_field": ("heatmap or PAF, PNG", "히트맵 또는 PAF, PNG"),
    "file_black": ("on black, PNG", "검은 바탕, PNG"),
    "file_black_json": ("on black, JSON", "검은 바탕, JSON"),
    "pick": ("Photo", "사진"),
    "advanced": ("Advanced", "고급"),
    "own_hint": (
        "Other weights, for you alone: they are offered as A and B in Compare.",
        "다른 가중치: 본인에게만 보이며, 비교에서 A와 B로 고를 수 있습니다.",
    ),
    "found_in": ("{side}{people}, {total}", "{side}{people}, {total}"),
    "details": ("Details", "자세히"),
    "stale": (
        "Earlier settings: press “Find the people”.",
        "이전 설정의 결과입니다. “사람 찾기”를 누르세요.",
    ),
    "same_twice": (
        "A and B are the same weights: choose others for one of them.",
        "A와 B가 같은 가중치입니다. 하나를 바꾸세요.",
    ),
    "b_failed": ("B cannot be compared: {reason}", "B를 비교할 수 없습니다: {reason}"),
    "many_refused": ("{count} refused", "{count}장 제외"),
    # Drawing.
    "drawing": ("Drawing", "그리기"),
    "highlight": ("Highlight", "강조할 사람"),
    "everyone": ("everyone", "모두"),
    "switches": ("Show", "표시"),
    "show_face": ("face", "얼굴"),
    "show_ids": ("numbers", "번호"),
    "show_boxes": ("boxes", "상자"),
    "dim": ("Darken the photo", "사진 어둡게"),
    "palette": ("Colours", "색"),
    "palette_openpose": ("OpenPose", "OpenPose"),
    "palette_sides": ("left and right", "왼쪽과 오른쪽"),
    "ground_truth": ("Ground truth (annotated)", "정답 (주석)"),
    # Comparison.
    "fact_people": ("people", "사람"),
    "fact_keypoints": ("keypoints found", "찾은 관절점"),
    "fact_score": ("mean keypoint score", "평균 관절점 점수"),
    "fact_network": ("network", "신경망"),
    "fact_decode": ("decoding", "후처리"),
    "fact_oks": ("OKS, annotated person {number}", "OKS, 주석된 사람 {number}"),
    "fact_oks_mean": ("OKS, mean", "OKS 평균"),
    "choose_b": (
        "Choose other weights for B to compare two networks; until then the other side is the "
        "photo itself.",
        "B에 다른 가중치를 고르면 두 신경망을 비교합니다. 그 전에는 원본 사진과 비교합니다.",
    ),
    "by_keypoint": ("Keypoint by keypoint", "관절점별 차이"),
    "found": ("{side} found", "{side} 찾음"),
    "score_of": ("{side} score", "{side} 점수"),
    "distance": ("apart, px", "거리(px)"),
    # How it works.
    "how": ("How it works, on this photo", "이 사진으로 보는 동작 원리"),
    "step_input": ("1. The photo", "1. 사진"),
    "step_input_text": ("is scaled to the size of the network.", "신경망의 입력 크기로 맞춥니다."),
    "step_heatmaps": ("2. Heatmaps", "2. 히트맵"),
    "step_heatmaps_text": ("show where a keypoint may be.", "관절점이 있을 만한 곳을 나타냅니다."),
    "step_pafs": ("3. Part affinity fields", "3. 파트 어피니티 필드(PAF)"),
    "step_pafs_text": (
        "show which way each limb runs; the colour is the direction.",
        "팔다리가 뻗는 방향을 색으로 나타냅니다.",
    ),
    "step_candidates": ("4. Candidates", "4. 후보"),
    "step_candidates_text": (
        "are the peaks of the heatmaps, one colour per keypoint.",
        "히트맵의 극댓값입니다. 관절점마다 색이 다릅니다.",
    ),
    "step_together": ("5. People", "5. 사람"),
    "step_together_text": (
        "are candidates connected where the fields agree.",
        "필드와 방향이 맞는 후보끼리 이은 결과입니다.",
    ),
    # Many photos.
    "many_hint": (
        "Each photo appears as soon as it is done. Stop whenever you like: the photos that "
        "are done stay, and the files hold them.",
        "끝나는 대로 사진이 나타납니다. 언제든 멈출 수 있고, 끝난 결과는 파일에 남습니다.",
    ),
    "many_photos": ("Photos", "사진 목록"),
    "gallery": ("Done", "완료"),
    "stop": ("Stop", "멈춤"),
    "run_all": ("Find the people in all", "모두에서 사람 찾기"),
    "weights": ("Weights", "가중치"),
    "many_none": (
        "There are no photos yet: choose some first.",
        "사진이 없습니다. 먼저 사진을 고르세요.",
    ),
    "many_done": (
        "{done} of {total} photos: {people}",
        "사진 {total}장 중 {done}장 완료: {people}",
    ),
    "many_start": (
        "Nothing is running. Choose photos and press the button.",
        "실행 중이 아닙니다. 사진을 고르고 버튼을 누르세요.",
    ),
    # Video.
    "video_hint": (
        "A clip of at most {seconds} seconds. Every person keeps a number through the clip; angles "
        "and positions are drawn as curves over time.",
        "최대 {seconds}초의 동영상입니다. 사람마다 번호가 유지되고, 각도와 위치를 시간에 따른 "
        "곡선으로 보여 줍니다.",
    ),
    "video_in": ("Your clip", "동영상"),
    "video_other": ("GIF, AVI, MTS and other clips", "GIF, AVI, MTS 등 다른 동영상"),
    "video_out": ("With skeletons", "골격을 그린 동영상"),
    "run_video": ("Track the people", "사람 따라가기"),
    "video_none": (
        "There is no clip yet: upload or record one.",
        "동영상이 없습니다. 올리거나 녹화하세요.",
    ),
    "video_done": (
        "{frames} frames, {people}, {speed} frames per second",
        "{frames}프레임, {people}, 초당 {speed}프레임",
    ),
    "video_cut": (
        "Only the first {seconds} seconds were processed.",
        "처음 {seconds}초만 처리했습니다.",
    ),
    "video_stopped": (
        "Stopped: the frames up to here were kept.",
        "중지했습니다. 여기까지의 프레임은 저장됩니다.",
    ),
    "video_start": (
        "Nothing is running. Choose a clip and press the button.",
        "실행 중이 아닙니다. 동영상을 고르고 버튼을 누르세요.",
    ),
    # Webcam.
    "webcam_hint": (
        "Allow the camera and press record. The view is a mirror, right and left are yours. Frames "
        "that come while the network is busy are dropped, so the picture does not lag. Only the "
        "newest frame is kept, for a snapshot, for an hour at most.",
        "카메라를 허용하고 녹화를 누르세요. 화면은 거울처럼 보이지만 왼쪽과 오른쪽은 본인 "
        "기준입니다. 신경망이 바쁠 때 온 프레임은 버려지므로 화면이 밀리지 않습니다. 스냅숏에 쓸 "
        "마지막 프레임만 최대 한 시간 보관됩니다.",
    ),
    "webcam_in": ("Camera", "카메라"),
    "webcam_out": ("Skeletons, live", "실시간 골격"),
    "webcam_rate": ("{rate} frames per second", "초당 {rate}프레임"),
    "webcam_snapshot": ("Open this frame in the Photo tab", "이 프레임을 사진 탭에서 열기"),
    # Code.
    "code_hint": (
        "The same results from a program. All parameters: [use via API](?view=api).",
        "프로그램에서도 같은 결과를 얻을 수 있습니다. 모든 매개변수: [API 사용 안내](?view=api).",
    ),
    "code_here": ("Without the page", "페이지 없이 쓰기"),
    # Status line.
    "count_0": ("no people", "사람 없음"),
    "count_1": ("1 person", "1명"),
    "count_n": ("{count} people", "{count}명"),
    "ran": (
        "{side} {weights}: network {network}, decoding {decode}",
        "{side} {weights}: 신경망 {network}, 후처리 {decode}",
    ),
    "redecoded": (
        "{side} {weights}: decoded in {decode}, network not run",
        "{side} {weights}: 후처리 {decode}, 신경망은 실행하지 않음",
    ),
    "nobody": (
        "Nobody was found: move “how sure” to the left, or choose accurate.",
        "사람을 찾지 못했습니다. 확신도를 왼쪽으로 옮기거나 정확하게를 고르세요.",
    ),
    "no_photo": (
        "there is no photo yet: upload one or click an example",
        "사진이 없습니다. 사진을 올리거나 예제를 누르세요.",
    ),
    "download_needed": ("not here yet, {size} download", "아직 없음, {size} 내려받기 필요"),
    "alt_photo": ("The photo as uploaded", "올린 그대로의 사진"),
    "alt_field": (
        "The photo with the chosen heatmap or PAF over it in colour",
        "고른 히트맵이나 PAF를 색으로 겹친 사진",
    ),
    "alt_skeleton": (
        "The photo with a skeleton over every person found",
        "찾은 사람마다 골격을 그린 사진",
    ),
}

KOREAN_KEYPOINTS = (
    "코",
    "목",
    "오른쪽 어깨",
    "오른쪽 팔꿈치",
    "오른쪽 손목",
    "왼쪽 어깨",
    "왼쪽 팔꿈치",
    "왼쪽 손목",
    "오른쪽 엉덩이",
    "오른쪽 무릎",
    "오른쪽 발목",
    "왼쪽 엉덩이",
    "왼쪽 무릎",
    "왼쪽 발목",
    "오른쪽 눈",
    "왼쪽 눈",
    "오른쪽 귀",
    "왼쪽 귀",
    "배경",
)
"""In the order of `pose.skeleton.KEYPOINTS`, then the background."""

TEXTS |= EDITOR_TEXTS | MOTION_TEXTS
for _i, _korean in enumerate(KOREAN_KEYPOINTS):
    TEXTS[f"keypoint_{_i}"] = ([*(k.name for k in KEYPOINTS), "background"][_i], _korean)
for _i, _limb in enumerate(LIMBS):
    _ends = f"{KOREAN_KEYPOINTS[_limb.start]} – {KOREAN_KEYPOINTS[_limb.end]}"
    TEXTS[f"limb_{_i}"] = (_limb.name, _ends)
