"""Pictures of graphs: SVG and a terminal tree, of one network or of a student against its teacher."""
