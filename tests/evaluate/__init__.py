"""Evaluation: figures against hand-computed ones, and what becomes of bad input."""
