"""Input that is hostile, damaged or odd: by kind, and through every command that takes it."""
