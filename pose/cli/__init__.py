"""The subcommands of python -m pose, one a module: `add_parsers` declares it, `run` does it."""
