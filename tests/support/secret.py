"""A secret that must not be shown."""

SECRET = "open-sesame-4711"
METADATA = f"authorization=Bearer {SECRET}"
