"""Facts of a graph in closed form: what it costs, and when its parts are there."""
