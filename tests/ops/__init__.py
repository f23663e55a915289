"""The operators against torch, from their own examples."""
