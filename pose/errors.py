"""The one exception for a user's mistake."""

from pose.redaction import redacted


class UserError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong and what to do; secrets in it are hidden.
    Commands print it and exit with status 2, the page shows it as a toast.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(redacted(str(message)))
