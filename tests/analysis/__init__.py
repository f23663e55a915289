"""Facts of a graph, against the published figures."""
