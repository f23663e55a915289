"""The typed graph: tensor types over widths, operators as values, nodes, and their text forms."""
