"""The pose editor of the photo tab: correct a skeleton, collect photos to train on."""
