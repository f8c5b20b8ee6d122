"""Images and labels, from wherever they lie."""
