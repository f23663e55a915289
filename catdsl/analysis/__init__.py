"""Facts of a graph in closed form: cost, space, what each block holds."""
