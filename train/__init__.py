"""Training: COCO annotations → augmented crops → target maps → loss → a run directory."""
