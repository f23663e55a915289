"""Systems: what one training step does to which networks."""
