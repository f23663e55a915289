"""The page of `export --web`: its markup, and the page at work in a browser."""
