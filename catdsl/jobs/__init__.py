"""What the commands do: one file each, over the floors below."""
