"""Publishing weights on the Hub: the folder that goes there, and sending it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from pose.errors import UserError
from pose.files import copy_file, write_atomically
from pose.weights.catalogue import resolve
from pose.weights.load import load_weights
from pose.weights.model_card import model_card
from pose.weights.save import save_weights

RUN_FILES = ("settings.yaml", "settings.json", "metrics.jsonl", "metrics.json", "loss.png")
"""Files of a run directory that go along with the weights."""


def write_folder(
    name: str, repo: str, folder: str | Path, *, weights_dir: str | Path | None = None
) -> list[Path]:
    """Writes what would be published: weights, metadata, model card, and the run's files.

    Args:
        name: a run, a bundled name or a file; not weights from the Hub, which are published.
        repo: "owner/name".
        folder: where to write; files of the same names are replaced.
        weights_dir: folder of run directories.

    Returns:
        The files written.

    Raises:
        UserError: unknown weights, a bad repository name, or a place that cannot be written.
    """
    check_repo(repo)
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; name a folder")
    card = resolve(name, weights_dir)
    if card.hub is not None:
        raise UserError(f"{card.name} is on the Hub already, and not ours to publish again")
    loaded = load_weights(name, weights_dir=weights_dir)
    written = [
        save_weights(
            folder / "weights.safetensors",
            loaded.network,
            preprocessing=loaded.preprocessing.name,
            metadata=loaded.metadata,
        )
    ]
    run = card.path.parent if card.path is not None else Path()
    is_run = card.path is not None and card.path.name == "weights.safetensors"
    for source in (run / file for file in RUN_FILES) if is_run else ():
        if source.is_file():
            copy_file(source, folder / source.name)
            written.append(folder / source.name)
    for licence in sorted(run.glob(f"LICENSE-{card.path.stem}")) if card.path else ():
        copy_file(licence, folder / "LICENSE")
        written.append(folder / "LICENSE")
    readme = model_card(
        loaded.card,
        repo,
        formula=loaded.preprocessing.formula,
        settings=settings_text(folder, written),
        loss_picture="loss.png" if folder / "loss.png" in written else None,
    )
    write_atomically(folder / "README.md", lambda file: file.write_text(readme, "utf-8"))
    return [*written, folder / "README.md"]


def push(
    name: str, repo: str, *, weights_dir: str | Path | None = None, private: bool = False
) -> str:
    """Publishes weights as a model repository on the Hub and returns its address.

    Raises:
        UserError: as `write_folder`, or the Hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    from pose.weights.hub_ids import HubSource
    from pose.weights.hub_requests import UnreachableError, ask, first_line, refusal

    check_repo(repo)
    if constants.HF_HUB_OFFLINE:
        raise UserError("the Hub is switched off (HF_HUB_OFFLINE); use --dry-run DIR instead")
    api, target = HfApi(), HubSource(repo)
    with tempfile.TemporaryDirectory(prefix="pose-push-") as temporary:
        write_folder(name, repo, temporary, weights_dir=weights_dir)
        try:
            ask(api.whoami)
            api.create_repo(repo, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=repo, folder_path=temporary, commit_message="Weights and model card"
            )
        except UnreachableError as error:
            raise UserError(
                f"cannot publish {repo}: {error}; check the connection and log in with "
                "`hf auth login`, or use --dry-run DIR"
            ) from None
        except HfHubHTTPError as error:
            raise refusal(error, target) from None
        except (OSError, ValueError) as error:
            raise UserError(f"{repo} could not be published: {first_line(error)}") from None
    return f"{constants.ENDPOINT}/{repo}"


def check_repo(repo: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo):
        raise UserError(f"{repo!r} is not a repository's name; give owner/name")


def settings_text(folder: Path, written: list[Path]) -> str:
    for name in ("settings.yaml", "settings.json"):
        if folder / name in written:
            return (folder / name).read_text("utf-8", errors="replace")
    return ""
