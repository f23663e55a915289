"""One-step search: scores and a budget to a plan, a plan to a student program and weights. No torch."""
