"""From syntax to graph: names, values, settings, and the checks that need them."""
