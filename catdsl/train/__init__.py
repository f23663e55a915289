"""Training: data, losses, systems, engine. Importing this package alone loads no torch."""
