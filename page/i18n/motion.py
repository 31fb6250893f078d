"""The texts of the video tab's curves: key → (English, Korean)."""

from __future__ import annotations

MOTION_TEXTS: dict[str, tuple[str, str]] = {
    "video_smooth": (
        "Steady: smooth the paths, fill short gaps, drop people seen for a moment",
        "안정화: 움직임을 매끄럽게, 짧은 빈틈은 채우고 잠깐 나타난 사람은 제외",
    ),
    "video_steadying": (
        "Drawing the result …",
        "결과를 그리는 중 …",
    ),
    "video_joints": ("Write angles beside the joints", "관절 옆에 각도 표시"),
    "curve_person": ("Person", "사람"),
    "curve_what": ("Curves", "곡선"),
    "curve_hint": (
        "The line moves with the video. Click the curve to go there.",
        "선은 동영상과 함께 움직입니다. 곡선을 누르면 그 시점으로 이동합니다.",
    ),
    "curve_min": ("Minimum", "최솟값"),
    "curve_max": ("Maximum", "최댓값"),
    "curve_range": ("Range", "범위"),
    "curve_repetitions": ("Repetitions", "반복 횟수"),
    "curve_period": ("Seconds each", "한 번에 걸린 초"),
    "curve_name": ("Curve", "곡선"),
    "curve_unknown": ("not known", "알 수 없음"),
    "angle_right knee": ("right knee", "오른쪽 무릎 각도"),
    "angle_left knee": ("left knee", "왼쪽 무릎 각도"),
    "angle_right hip": ("right hip", "오른쪽 엉덩이 각도"),
    "angle_left hip": ("left hip", "왼쪽 엉덩이 각도"),
    "angle_right elbow": ("right elbow", "오른쪽 팔꿈치 각도"),
    "angle_left elbow": ("left elbow", "왼쪽 팔꿈치 각도"),
    "angle_right shoulder": ("right shoulder", "오른쪽 어깨 각도"),
    "angle_left shoulder": ("left shoulder", "왼쪽 어깨 각도"),
    "angle_trunk lean": ("trunk lean", "몸통 기울기"),
    "angle_neck": ("neck", "목 각도"),
}
