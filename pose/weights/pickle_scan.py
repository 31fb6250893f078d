"""Scanning the instructions of a pickle before anything executes them.

`torch.load(weights_only=True)` refuses foreign functions by itself. The scan comes first so that
the refusal names the function, in the old format too, and so that a short file cannot make the
loader reserve gigabytes with a call that it allows (`bytearray` of a huge number).
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
    """Reads one pickle's instructions; a file object is left at its end.

    Args:
        pickled: the pickle.
        path: of the file, for the message.

    Raises:
        UserError: the pickle uses a function that state dicts do not need, or is damaged.
    """
    texts = ["", ""]  # the last two strings, which STACK_GLOBAL takes
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            if opcode.name in STRINGS:
                texts = [texts[1], str(argument)]
            elif opcode.name in ("GLOBAL", "INST"):
                check_global(str(argument), path)
            elif opcode.name == "STACK_GLOBAL":
                check_global(" ".join(texts), path)
                raise UserError(
                    f"{path} was saved with a pickle protocol that cannot be loaded safely; save "
                    "it with the default protocol of torch.save"
                )
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
