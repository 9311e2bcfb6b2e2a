"""Put a document through its model, and say what does not fit in words that help."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from provision.spec.characters import shown
from provision.spec.door import NOT_SUPPORTED
from provision.spec.door_model import DoorModel
from provision.spec.node import Document, SecretRef
from provision.spec.problem import Place, Problem, Problems
from provision.spec.values import Empty

Model = TypeVar("Model", bound=DoorModel)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LATER = "leave it out; a later version will do it"


def validate(document: Document, model: type[Model], problems: Problems) -> Model | None:
    """The document as its model, or None after reporting everything that does not fit."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problems.add(_problem(document, model, dict(detail)))
    return None


def _problem(document: Document, model: type[DoorModel], detail: dict[str, Any]) -> Problem:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    on_key = "[key]" in detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(document, model, path, detail["input"])
    if kind == "missing":
        place = document.key_place(*path[:-1]) if path[:-1] else Place(document.file, 1, 1, 2)
        needs = " and ".join(_required(_model_at(model, path[:-1])))
        return Problem(
            "missing-key", place, f"the key {path[-1]!r} is missing", f"needed here: {needs}"
        )
    place = document.key_place(*path) if on_key else document.place(*path)
    if kind == "value_error":
        error = detail["ctx"]["error"]
        return Problem("value", place, str(error), getattr(error, "hint", ""))
    message, hint = _type_message(kind, detail, path)
    if message.endswith("is empty") and path:
        place = document.key_place(*path)
    return Problem("value", place, message, hint)


_MAPPING = ("a mapping", "lines of 'key: value', indented below it")
_TYPES = {
    "bool_type": ("true or false", "without quotes; yes, no, on and off are text in YAML 1.2"),
    "int_type": ("a whole number", "without quotes"),
    "list_type": ("a list", "as in [one, two]"),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "string_type": ("text", "put it in quotes"),
}


def _type_message(
    kind: str, detail: dict[str, Any], path: tuple[str | int, ...]
) -> tuple[str, str]:
    value = detail["input"]
    name = _value_name(path)
    if value is None or type(value) is Empty:
        return f"{name} is empty", "write its value, or delete the line"
    if kind == "bool_type" and isinstance(value, dict):
        return f"{name} takes true or false; more is not supported by this version", _LATER
    if kind in _TYPES:
        what, hint = _TYPES[kind]
        return f"{name} takes {what}", hint
    return _limit_message(kind, detail, name)


def _value_name(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the file"
    key = str(path[-1])
    return "the value" if set(key) & set("{}[],") else shown(key)


def _limit_message(kind: str, detail: dict[str, Any], name: str) -> tuple[str, str]:
    value, limits = detail["input"], detail.get("ctx", {})
    if kind == "literal_error":
        hint = f"it can be {limits['expected']}"
        if name == "'release'":
            return f"the release {_short(value)} is not supported yet", hint
        return f"{name} cannot be {_short(value)}", hint
    if kind == "too_short":
        return f"{name} needs at least {limits['min_length']} entry", "add one, or delete the line"
    if kind == "too_long":
        return (
            f"{name} has more than {limits['max_length']} entries, which is the limit",
            "take some out",
        )
    bounds = {"greater_than_equal": ("ge", "smaller"), "less_than_equal": ("le", "larger")}
    if kind in bounds:
        key, word = bounds[kind]
        return f"{name} is {word} than {limits[key]}", "TCP ports are 1 to 65535"
    return f"{name} does not fit: {detail['msg']}", "compare with docs/reference/spec.md"


def _short(value: Any) -> str:
    if isinstance(value, str | int | float):
        return shown(str(value))
    return "a secret" if isinstance(value, SecretRef) else "a list or mapping"


def _unknown_key(
    document: Document, model: type[DoorModel], path: tuple[str | int, ...], value: Any
) -> Problem:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    owner, key = _model_at(model, path[:-1]), str(path[-1])
    place = document.key_place(*path)
    purpose = NOT_SUPPORTED.get((owner.__name__, key))
    if purpose:
        return Problem(
            "not-supported", place,
            f"{shown(key)} ({purpose}) is not supported by this version", _LATER,
        )  # fmt: skip
    known = list(owner.model_fields)
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    name = shown(key) if near else _key_name(key, value)
    hint = f"did you mean {near[0]!r}?" if near else f"keys known here: {', '.join(known)}"
    return Problem("unknown-key", place, f"the key {name} is not known here", hint)


def _key_name(key: str, value: Any) -> str:
    """The key; not when a missing colon or line break may have made a password of it."""
    is_empty = value is None or type(value) is Empty
    return shown(key) if _PLAIN_KEY.fullmatch(key) and not is_empty else "(not shown)"


def _required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _model_at(model: type[DoorModel], path: tuple[str | int, ...]) -> type[DoorModel]:
    """The model of the mapping at ``path``: field names lead on, other keys stay."""
    for step in path:
        field = model.model_fields.get(str(step))
        inner = _model_in(field.annotation) if field else None
        if inner is not None:
            model = inner
    return model


def _model_in(annotation: Any) -> type[DoorModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, DoorModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
