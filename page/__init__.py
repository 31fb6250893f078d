"""The page: what `app.py` assembles. Nothing here is imported by `pose/`."""
