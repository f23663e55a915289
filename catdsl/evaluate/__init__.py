"""How good and how fast networks are: measures of the field, by kept libraries, with their protocol."""
