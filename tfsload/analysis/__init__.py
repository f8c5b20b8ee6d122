"""From records to figures and a verdict. Pure."""
