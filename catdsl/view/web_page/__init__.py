"""A page that runs an exported model in the browser: input beside output, and how long it takes."""
