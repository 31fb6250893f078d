"""Finding the format of a checkpoint by its keys and shapes, whatever they are wrapped in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from pose.errors import UserError, display
from pose.weights.formats import Format, Shape, formats

EMA = re.compile(r"(^|[._])ema([._]|$)")
"""A prefix of averaged weights, which a training that keeps them measures and publishes."""

MAX_WRAPPERS = 8
"""Words before a key that are tried as wrappers; a file from outside may have millions."""

COUNTER = "num_batches_tracked"
"""Last word of the keys under which batch norms count their batches, for training alone."""


@dataclass(frozen=True)
class Match:
    """A format found in a file.

    Attributes:
        format: the format.
        prefix: what stands before its keys in the file, such as "state_dict.module.".
        left_out: keys of the other tensors in the file.
    """

    format: Format
    prefix: str
    left_out: tuple[str, ...]

    def note(self) -> str | None:
        """A sentence about the other tensors in the file; None where there are none."""
        if not self.left_out:
            return None
        groups = Counter(
            COUNTER if key.endswith(COUNTER) else key.removeprefix(self.prefix).split(".")[0]
            for key in self.left_out
        )
        named = [f"{display(g)} ({n} tensor{'s' * (n > 1)})" for g, n in groups.items()]
        more = f" and {len(named) - 4} more" if len(named) > 4 else ""
        taken = f" The weights under {display(self.prefix.rstrip('.'))} were loaded."
        return (
            f"Left out of the file what the network does not use: {', '.join(named[:4])}{more}."
            + (taken if self.prefix else "")
        )


@dataclass(frozen=True)
class Differences:
    """Keys of a format that are missing, too many, or of another shape (key, wanted, found)."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[tuple[str, Shape, Shape], ...]

    @property
    def count(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.misshapen)

    def __str__(self) -> str:
        texts = [
            f"{len(keys)} {what} ({', '.join(display(k) for k in keys[:3])}"
            f"{', …' if len(keys) > 3 else ''})"
            for what, keys in (("missing", self.missing), ("extra", self.extra))
            if keys
        ]
        if self.misshapen:
            texts.append(
                f"{len(self.misshapen)} of another shape ("
                + ", ".join(
                    f"{display(key)} is {shape_text(found)}, not {shape_text(wanted)}"
                    for key, wanted, found in self.misshapen[:3]
                )
                + (", …)" if len(self.misshapen) > 3 else ")")
            )
        return "; ".join(texts)


def find_format(shapes: Mapping[str, Shape], path: object) -> Match:
    """The format of a file with these keys and shapes.

    Its keys may lie under a prefix, and tensors outside of the network may lie beside them. Where
    several copies are complete, averaged weights come first.

    Raises:
        UserError: no format fits; the message names the nearest and the first differences.
    """
    found = Counter(
        (form.name, prefix)
        for form in formats()
        for key in shapes
        for prefix in prefixes(key)
        if key[len(prefix) :] in form.shapes
    )
    by_name = {form.name: form for form in formats()}
    if not found:
        names = ", ".join(display(key) for key in list(shapes)[:3]) or "nothing"
        titles = ", ".join(sorted({form.title for form in formats()}))
        raise UserError(
            f"{path} holds none of the keys of a pose network (its first keys: {names}); give a "
            f"checkpoint in one of these formats: {titles}"
        )
    # The most keys in common, then the fewest missing, then averaged weights.
    name, prefix = max(
        found,
        key=lambda f: (found[f], -len(by_name[f[0]].shapes), EMA.search(f[1]) is not None),
    )
    nearest = by_name[name]
    differences = differences_from(nearest, shapes, prefix)
    if differences.count:
        raise UserError(
            f"{path} is nearest to the format '{nearest.title}' but does not fit it: "
            f"{differences}; give a checkpoint of the whole network, saved by the same code"
        )
    wanted = {prefix + key for key in nearest.shapes}
    silent = ("|axis", COUNTER) if nearest.batch_norm else ("|axis",)
    left_out = (key for key in shapes if key not in wanted and not key.endswith(silent))
    return Match(nearest, prefix, tuple(left_out))


def prefixes(key: str) -> Iterator[str]:
    """Whatever of a key may be the names of wrappers: "", "a.", "a.b." of "a.b.c"."""
    yield ""
    for dot in islice(re.finditer(r"\.", key), MAX_WRAPPERS):
        yield key[: dot.end()]


def differences_from(form: Format, shapes: Mapping[str, Shape], prefix: str) -> Differences:
    """What keeps the tensors under a prefix from being of a format.

    A tensor inside one of the network's own modules is one too many, as the network that was
    trained computes something else; tensors beside them are left to the caller.
    """
    under = {k.removeprefix(prefix): tuple(s) for k, s in shapes.items() if k.startswith(prefix)}
    modules = {key.split(".")[0] for key in form.shapes}
    return Differences(
        tuple(key for key in form.shapes if key not in under),
        tuple(
            key
            for key in under
            if key not in form.shapes and key.split(".")[0] in modules and not key.endswith(COUNTER)
        ),
        tuple(
            (key, shape, under[key])
            for key, shape in form.shapes.items()
            if key in under and under[key] != shape
        ),
    )


def shape_text(shape: Shape) -> str:
    return "×".join(str(n) for n in shape) if shape else "a single number"
