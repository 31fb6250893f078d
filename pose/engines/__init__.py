"""Running a network: RGB uint8 pictures in, maps as NumPy arrays out."""
