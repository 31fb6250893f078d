"""Candidate limbs → groups of candidates, one group a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose.decoding.limb_scores import Connections
from pose.decoding.peaks import Peaks
from pose.skeleton import LIMBS


@dataclass(frozen=True)
class Group:
    """The candidates of one person, as indices into `Peaks`, and the sum of their limbs' scores."""

    members: tuple[int, ...]
    limb_score: float


def best_connections(connections: Connections) -> Connections:
    """The connections left when each candidate joins at most one limb of a kind, best first.

    Returned best first over all limbs.
    """
    order = np.argsort(-connections.scores, kind="stable")
    limbs, start, end = (
        column[order].tolist() for column in (connections.limbs, connections.start, connections.end)
    )
    taken: set[tuple[int, int]] = set()
    kept = []
    # Start and end candidates of a limb never share an index, as their channels differ.
    for at, (limb, a, b) in enumerate(zip(limbs, start, end, strict=True)):
        if (limb, a) not in taken and (limb, b) not in taken:
            taken.add((limb, a))
            taken.add((limb, b))
            kept.append(at)
    return connections[order[kept]]


def assemble(peaks: Peaks, connections: Connections) -> list[Group]:
    """Joins candidates along the connections, best first, never two of one keypoint in a person.

    This is Kruskal's spanning forest with a constraint: the strongest evidence decides first,
    wherever in the body it is. Limbs that are not drawn (shoulder-ear) may not start a person.
    """
    members: list[list[int]] = [[i] for i in range(len(peaks.channels))]
    channels = [1 << int(channel) for channel in peaks.channels]  # a bit set a group
    score = [0.0] * len(members)
    group = list(range(len(members)))
    columns = (connections.limbs, connections.start, connections.end, connections.scores)
    for limb, start, end, value in zip(*(c.tolist() for c in columns), strict=True):
        a, b = group[start], group[end]
        if a == b:
            score[a] += value
            continue
        starts_person = len(members[a]) == 1 and len(members[b]) == 1
        if channels[a] & channels[b] or (starts_person and not LIMBS[limb].drawn):
            continue
        if len(members[a]) < len(members[b]):
            a, b = b, a
        for member in members[b]:
            group[member] = a
        members[a] += members[b]
        members[b] = []
        channels[a] |= channels[b]
        score[a] += score[b] + value
    return [Group(tuple(m), s) for m, s in zip(members, score, strict=True) if len(m) > 1]
