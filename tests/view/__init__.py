"""Pictures: their layout is measured, not only looked at."""
