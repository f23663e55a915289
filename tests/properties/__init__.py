"""Properties that hold of every program: shown on random ones."""
