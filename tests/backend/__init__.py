"""Modules and weights."""
