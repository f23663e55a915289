"""catdsl: a language and compiler for compressing image-to-image generators."""

__version__ = "0.1.0"
