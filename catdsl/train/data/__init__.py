"""Images for training: where they lie, how they are read, and which of them make a batch."""
