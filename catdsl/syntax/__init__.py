"""Text to syntax tree: the grammar, the tree, and the parser."""
