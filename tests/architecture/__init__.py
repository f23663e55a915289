"""Guards of the shape of the code. Each is a function of source text that is also shown a planted fault."""
