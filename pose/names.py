"""Names that people type, known without importing PyTorch: networks, engines, precisions."""

OPENPOSE = "openpose"
MOBILENET_THIN = "mobilenet-thin"
NETWORK_NAMES = (OPENPOSE, MOBILENET_THIN)

ENGINES = ("auto", "torch", "openvino", "onnxruntime")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
