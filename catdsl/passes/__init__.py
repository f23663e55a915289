"""Rewrites of a graph that change no result: graph to graph, with the weights carried along. No torch."""
