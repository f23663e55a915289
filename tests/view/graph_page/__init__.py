"""Tests of the page of a graph: its picture, its panel, and the search that it runs."""
