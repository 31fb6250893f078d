"""Converting weights of any known format into ours, into `.pth` or into ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pose.errors import UserError
from pose.saving import save_weights
from pose.weights import LoadedWeights, load_weights

ENDINGS = (".safetensors", ".pth", ".pt", ".onnx")


@dataclass(frozen=True)
class Exported:
    """The file written and what to tell the user."""

    path: Path
    notes: tuple[str, ...]


def export_weights(
    name: str,
    output: str | Path,
    *,
    preprocessing: str | None = None,
    weights_dir: str | Path | None = None,
    half: bool = False,
) -> Exported:
    """Writes weights as `.safetensors`, `.pth` or `.onnx`, by the ending of `output`.

    Args:
        name: whatever `pose.weights.load_weights` takes.
        output: the file to write.
        preprocessing: overrules what the weights say.
        weights_dir: folder of run directories.
        half: float16 numbers; not for ONNX.

    Raises:
        UserError: unknown weights or ending, or a file that cannot be written.
    """
    output = Path(output)
    if output.suffix not in ENDINGS:
        raise UserError(f"{output} should end in one of {', '.join(ENDINGS)}")
    if output.is_dir():
        raise UserError(f"{output} is a folder; name a file in it")
    if half and output.suffix == ".onnx":
        raise UserError("ONNX files are written in float32 only; leave out --half")
    loaded = load_weights(name, preprocessing=preprocessing, weights_dir=weights_dir)
    notes = list(loaded.notes)
    if output.suffix == ".onnx":
        from pose.onnx_export import export_onnx

        difference = export_onnx(loaded, output)
        notes.append(f"Maps differ from PyTorch's by at most {difference:.1e} on a photo.")
    else:
        save_weights(
            output,
            loaded.network,
            preprocessing=loaded.preprocessing.name,
            metadata=carried_metadata(loaded),
            half=half,
        )
    return Exported(output, tuple(notes))


def carried_metadata(loaded: LoadedWeights) -> dict[str, str]:
    """What the weights said about themselves, with their licence and origin in any case."""
    card = loaded.card
    metadata = dict(card.metadata or {})
    metadata.setdefault("licence", card.licence)
    metadata.setdefault("source", card.source)
    if not loaded.format.startswith("own"):
        metadata.setdefault("source_format", loaded.format)
        metadata.setdefault("source_sha256", loaded.sha256)
    return metadata
