"""The one exception for a user's mistake."""


class UserError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong and what to do. Commands print it and exit
    with status 2, the page shows it as a toast.
    """
