"""Where things lie that the tests read."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

EXAMPLES = ROOT / "assets" / "examples"

COLLAGE = ROOT / "tests" / "photos" / "four-people.jpg"
"""Four people side by side: three of the examples, one of them twice."""

SHARED = ROOT.parent / "shared"
"""Real photos, annotations and weights beside the checkout; tests that need them skip without."""

NEEDS_COCO = f"needs the COCO slice in {SHARED / 'coco'}"
"""Why a test is skipped that reads it."""
