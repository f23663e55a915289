"""Networks as readable Python: what a person would have written, with its weights beside it."""
