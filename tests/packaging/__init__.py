"""What is shipped: built, installed and used elsewhere."""
