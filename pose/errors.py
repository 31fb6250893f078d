"""The one exception for a user's mistake, and what its line may hold."""

from pose.redaction import redacted


class UserError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong and what to do; secrets in it are hidden.
    Commands print it and exit with status 2, the page shows it as a toast.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(redacted(str(message)))


def display(name: object, longest: int = 60) -> str:
    """A name from outside, fit for one line of a message: printable and not too long.

    What is cut off is in the middle, as the start and the end tell files apart.
    """
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[: half - 1]}…{text[half - longest :]}"
