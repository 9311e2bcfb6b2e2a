"""JSON Schema of fleet.yml and of site files, made from the models, for editors and other tools."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from provision.spec.door import FleetFile, SiteFile
from provision.spec.door_model import DoorModel

MODELS: dict[str, type[DoorModel]] = {"fleet": FleetFile, "site": SiteFile}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOTES = {"^x-": {"description": "A note to people; not read."}}


class _Generator(GenerateJsonSchema):
    """No ``null`` where a key may be left out: a key without a value is refused at the door."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if isinstance(default, bool | int | str) and default != "":
            return {**inner, "default": default}
        return inner


def json_schema(kind: str | None = None) -> dict[str, Any]:
    """The schema of ``fleet`` or ``site`` files; of either kind without ``kind``."""
    if kind is not None:
        return {"$schema": _DIALECT, **_of(MODELS[kind])}
    definitions: dict[str, Any] = {}
    for model in MODELS.values():
        schema = _of(model)
        definitions |= schema.pop("$defs")
        definitions[model.__name__] = schema
    choices = [{"$ref": f"#/$defs/{model.__name__}"} for model in MODELS.values()]
    return {"$schema": _DIALECT, "anyOf": choices, "$defs": definitions}


def _of(model: type[DoorModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Generator)
    for part in (schema, *schema["$defs"].values()):
        part["patternProperties"] = _NOTES
        for value in part["properties"].values():
            if "patternProperties" in value:
                value["additionalProperties"] = False
    mailboxes = schema["properties"].get("mailboxes")
    if mailboxes:
        # `carla:` alone is a mailbox with everything left to the defaults.
        body = mailboxes["additionalProperties"]
        mailboxes["additionalProperties"] = {"anyOf": [body, {"type": "null"}]}
    return schema
