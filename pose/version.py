"""The version of the library, which pyproject.toml and every saved weights file take from here."""

__version__ = "0.2.0"
