"""Keeps Gradio from writing type stubs at its import, more than half of what the import takes.

Import this before Gradio. For each of its components Gradio parses the source and writes a `.pyi`
file for editors beside it, which a server has no use for and a read-only installation no room.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MODULE = "gradio.component_meta"
WRITER = "create_or_modify_pyi"


class WithoutStubs(Loader):
    """Loads a module as another loader does, then makes its writer of stubs do nothing."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        # A version of Gradio without the function is left as it is.
        if hasattr(module, WRITER):
            setattr(module, WRITER, lambda *arguments, **options: None)


class StubFinder(MetaPathFinder):
    """Finds the one module that writes the stubs."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = WithoutStubs(spec.loader)
        return spec


if MODULE not in sys.modules:
    sys.meta_path.insert(0, StubFinder())
