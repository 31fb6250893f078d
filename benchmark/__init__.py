"""Speed and memory, as ratios to a plain implementation; see `python -m benchmark --help`."""
