"""Exports: every format, every shipped spec, every operator."""
