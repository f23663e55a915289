"""Networks as files that run without catdsl: ONNX, torch.export programs, and Python source."""
