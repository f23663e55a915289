"""Graphs to PyTorch: modules through torch.fx, initial weights, and weights in files."""
