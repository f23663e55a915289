"""Reports of runs: plain values in, HTML, Markdown and JSON out; and several of them side by side."""
