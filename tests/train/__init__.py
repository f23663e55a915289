"""Training: data, losses, systems, and runs that survive being stopped."""
