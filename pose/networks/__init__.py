"""The networks, and how a photo becomes their input."""
