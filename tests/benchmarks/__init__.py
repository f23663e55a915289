"""The benchmarks themselves, on small networks."""
