"""What Vega-Lite allows in a specification: its own schema, as Altair brings it."""

import functools
import importlib.resources
import json
from typing import Any

import jsonschema


@functools.cache
def _validator() -> Any:
    schema = importlib.resources.files("altair") / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    read = json.loads(schema.read_text())
    return jsonschema.validators.validator_for(read)(read)


def faults(spec: Any) -> list[str]:
    """Return what is wrong with a specification; none: nothing is."""
    return [f"{error.json_path}: {error.message[:300]}" for error in _validator().iter_errors(spec)]


def all_of(spec, key):
    """Yield whatever stands under a name, however deep."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name == key:
                yield value
            yield from all_of(value, key)
    elif isinstance(spec, list):
        for value in spec:
            yield from all_of(value, key)
