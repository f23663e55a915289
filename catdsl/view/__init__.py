"""Pictures of graphs, reports of runs, and pages made from both: plain values in, text out."""
