"""Settings from the command line and from settings.json."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pose.errors import UserError
from train.settings import TrainSettings, flag


def field_types() -> dict[str, Any]:
    """The type of each setting, without `| None`."""
    return {
        name: typing.get_args(hint)[0] if isinstance(hint, types.UnionType) else hint
        for name, hint in typing.get_type_hints(TrainSettings).items()
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds an option per setting; those not given are absent from the parsed namespace."""
    kinds = field_types()
    for field in dataclasses.fields(TrainSettings):
        kind = kinds[field.name]
        how: dict[str, Any] = {"type": kind, "metavar": field.name.split("_")[-1].upper()}
        if kind is bool:
            how = {"action": argparse.BooleanOptionalAction}
        elif typing.get_origin(kind) is Literal:
            how = {"choices": typing.get_args(kind)}
        default = "" if field.default in (dataclasses.MISSING, None) else f" [{field.default}]"
        text = field.metadata["help"] + default
        parser.add_argument(flag(field.name), default=argparse.SUPPRESS, help=text, **how)


def from_mapping(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain values, such as those of settings.json.

    Raises:
        UserError: a field is unknown, missing, or out of range.
    """
    kinds = field_types()
    if unknown := sorted(set(values) - set(kinds)):
        raise UserError(f"Unknown training settings: {', '.join(unknown)}.")
    if values.get("output") is None:
        raise UserError("Give --output RUN_DIR.")
    paths = {name: Path(v) for name, v in values.items() if v is not None and kinds[name] is Path}
    return TrainSettings(**{**values, **paths})
