"""The graph: widths, absence, text and JSON."""
