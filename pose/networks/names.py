"""The networks' names, known without importing PyTorch."""

OPENPOSE = "openpose"
MOBILENET_THIN = "mobilenet-thin"
NETWORK_NAMES = (OPENPOSE, MOBILENET_THIN)
