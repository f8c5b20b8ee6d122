"""The report's charts: a Vega-Lite specification each, as plain data, and the drawing of them."""
