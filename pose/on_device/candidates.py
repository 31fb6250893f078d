"""As `pose.decode.find_candidates`, for several photos at once, on the device.

The host waits twice: for the number of coarse maxima, and for the answer.
"""

from __future__ import annotations

import numpy as np
import torch

from pose.decode import LARGEST, WEAK, Candidates, DecodeSettings, changes_made, limb_rules
from pose.limbs import Connections
from pose.on_device.averaging import DeviceView
from pose.on_device.limbs import PairBlocks, pair_blocks, score_limbs
from pose.on_device.peaks import find_peaks
from pose.on_device.transfer import download
from pose.peaks import MAX_PEAKS, Peaks
from pose.skeleton import LIMB_ENDS, NUM_KEYPOINTS


@torch.inference_mode()
def find_candidates(view: DeviceView, settings: DecodeSettings) -> list[Candidates]:
    """Each photo's keypoint candidates and the limbs between them."""
    finite = torch.stack([maps.isfinite().flatten(1).all(1) for maps in view.maps]).all(0)
    clean = [maps.nan_to_num(0.0, 0.0, 0.0) for maps in view.maps]
    within = torch.stack([(m.abs() <= LARGEST).flatten(1).all(1) for m in clean]).all(0)
    pafs, heatmaps = (maps.clamp(-LARGEST, LARGEST) for maps in clean)
    planes = heatmaps[:, :NUM_KEYPOINTS].flatten(0, 1)
    peaks = find_peaks(planes, WEAK * settings.peak_threshold)
    blocks = pair_blocks(peaks.bounds)
    rules = [limb_rules(settings, grid) for grid in view.grids]
    lengths = np.array([rule.reference_length for rule in rules], float)
    scores = score_limbs(pafs, peaks, blocks, rules[0], lengths)
    positions, peak_scores, found, finite, within, scores = download(
        [peaks.positions, peaks.scores, peaks.found, finite, within, scores]
    )
    answers = []
    for photo in range(len(view.grids)):
        rows = slice(photo * NUM_KEYPOINTS, (photo + 1) * NUM_KEYPOINTS)
        parts, entries = np.nonzero(np.isfinite(peak_scores[rows]))
        cut = tuple(int(part) for part in np.nonzero(found[rows] > MAX_PEAKS)[0])
        of_photo = Peaks(
            parts, positions[rows][parts, entries], peak_scores[rows][parts, entries], cut
        )
        index = np.zeros(peak_scores[rows].shape, int)
        index[parts, entries] = np.arange(len(parts))
        connections = connections_of(photo, blocks, scores, index)
        changes = changes_made(bool(finite[photo]), bool(within[photo]))
        answers.append(Candidates(of_photo, connections, changes))
    return answers


def connections_of(
    photo: int, blocks: PairBlocks, scores: np.ndarray, index: np.ndarray
) -> Connections:
    """The plausible pairs of a photo.

    Args:
        scores: (blocks.first[-1],), see `score_limbs`.
        index: int (18, M), what the entries of the photo's peak table are in `Peaks`.
    """
    first = blocks.first[photo * len(LIMB_ENDS) : (photo + 1) * len(LIMB_ENDS) + 1]
    of_photo = scores[first[0] : first[-1]]
    kept = np.nonzero(of_photo >= 0)[0]
    limbs = np.searchsorted(first - first[0], kept, side="right") - 1
    ends = blocks.ends[photo * len(LIMB_ENDS) + limbs]
    i, j = np.divmod(kept - (first - first[0])[limbs], ends)
    start, end = LIMB_ENDS[limbs].T
    return Connections(limbs, index[start, i], index[end, j], of_photo[kept])
