"""Measuring speed as ratios of medians of alternated runs; see `python -m pose benchmark`."""
