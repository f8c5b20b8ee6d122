"""How far the options of a level go: they are refused beyond, and so nothing beyond is suggested. Pure."""

MAX_USERS = 100_000
MAX_IMAGES_PER_REQUEST = 10_000
MAX_LEVEL_S = 24 * 3600
# What is shorter holds hardly a request, and its slices nothing.
LEAST_LEVEL_S = 0.1
