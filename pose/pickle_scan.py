"""A look at a pickle's instructions before anything executes them.

`torch.load(weights_only=True)` refuses foreign functions by itself; this look comes first so that
the refusal can name what the file wanted to run, and so that a short file cannot make the loader
reserve gigabytes by a permitted call (bytearray with a huge number).
"""

from __future__ import annotations

import pickletools
from pathlib import Path
from typing import BinaryIO

from pose.errors import UserError

ALLOWED = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_tensor",
        "torch._utils _rebuild_parameter",
        "torch.serialization _get_layout",
        "torch.storage UntypedStorage",
        "torch Size",
        "torch device",
    }
)
"""What a state dict needs; every storage class of torch besides."""

STRINGS = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"})


def check_pickle(pickled: bytes | BinaryIO, path: Path) -> None:
    """Reads one pickle's instructions; a file object is left behind its end.

    Args:
        pickled: the pickle.
        path: the file it is from, for the message.

    Raises:
        UserError: the pickle uses a function that state dicts do not need, or is damaged.
    """
    memo: dict[int, str] = {}
    memorised = 0
    texts = ["", ""]  # the last two strings pushed, which STACK_GLOBAL takes
    last: str | None = None
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            name = opcode.name
            if name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
                if last is not None:
                    memo[memorised if name == "MEMOIZE" else int(argument)] = last
                memorised += 1
                continue
            last = None
            if name in STRINGS:
                last = argument
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                last = memo.get(int(argument))
            elif name in ("GLOBAL", "INST"):
                check_global(argument, path)
            elif name == "STACK_GLOBAL":
                check_global(" ".join(texts), path)
            if last is not None:
                texts = [texts[1], last]
    except UserError:
        raise
    except Exception as error:
        # genops raises ValueError and, on mangled arguments, several others.
        raise UserError(
            f"{path} is damaged or cut off, its pickle cannot be read ({type(error).__name__}); "
            "download or copy it again"
        ) from None


def check_global(name: str, path: Path) -> None:
    module, _, function = name.partition(" ")
    if name in ALLOWED or (module in ("torch", "torch.cuda") and function.endswith("Storage")):
        return
    shown = f"{module}.{function}" if function else module
    shown = "".join(c if c.isprintable() else "?" for c in shown)[:80]
    raise UserError(
        f"{path} is a pickle that wants to run {shown} while loading, and a weights file must not "
        "run code, so it is refused; save net.state_dict() alone, or as safetensors"
    )
