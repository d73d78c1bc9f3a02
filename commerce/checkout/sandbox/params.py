"""Requests as Stripe would check them, from the types that stripe-python itself generates."""

import functools
import importlib
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pydantic
import typing_extensions

from commerce.checkout.sandbox.failure import Refusal

_TYPES = {
    "checkout/sessions": ("checkout._session_create_params", "SessionCreateParams"),
    "checkout/sessions/expire": ("checkout._session_expire_params", "SessionExpireParams"),
    "refunds": ("_refund_create_params", "RefundCreateParams"),
    "transfers": ("_transfer_create_params", "TransferCreateParams"),
    "transfers/reversals": ("_transfer_reversal_create_params", "TransferReversalCreateParams"),
    "accounts": ("_account_create_params", "AccountCreateParams"),
}
_PART = re.compile(r"[^\[\]]+")
_MOST_PARAMETERS = 2000


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Form fields such as ``line_items[0][quantity]=2`` as the structure they mean.

    Raises:
        Refusal: A field is both a value and a structure.
    """
    root: dict[str, Any] = {}
    for count, (name, value) in enumerate(pairs):
        parts = _PART.findall(name)
        if count >= _MOST_PARAMETERS or not parts or len(parts) > 12:
            raise Refusal.parameter("too many parameters", name)
        place: Any = root
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Refusal.parameter(f"Invalid {name}", name)
        place[parts[-1]] = value
    return typing.cast(dict[str, Any], _with_lists(root))


def checked(endpoint: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with their types, nothing unknown among them.

    Raises:
        Refusal: An unknown name, or a value of another type.
    """
    try:
        found: dict[str, Any] = _adapter(endpoint).validate_python(
            {name: value for name, value in given.items() if name != "expand"}
        )
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"] if not str(part).startswith(("Session", "list"))]
        name = path[0] + "".join(f"[{part}]" for part in path[1:]) if path else ""
        if first["type"] == "extra_forbidden":
            raise Refusal.parameter(
                f"Received unknown parameter: {name}", name, "parameter_unknown"
            ) from None
        code = "parameter_missing" if first["type"] == "missing" else "parameter_invalid"
        raise Refusal.parameter(f"Invalid {name}: {first['msg']}", name, code) from None
    return found


@functools.cache
def _adapter(endpoint: str) -> pydantic.TypeAdapter[Any]:
    module_name, type_name = _TYPES[endpoint]
    module = importlib.import_module(f"stripe.params.{module_name}")
    names = {name: getattr(typing_extensions, name) for name in dir(typing_extensions)}
    names |= vars(module) | {
        "Decimal": Decimal,
        "Dict": dict,
        "List": list,
        "Union": typing.Union,
        "StripeContext": object,
        "UntypedStripeObject": Sequence,
    }
    for kind in vars(module).values():
        if typing_extensions.is_typeddict(kind):
            # Some fields also take an object of the library, which never comes over HTTP.
            kind.__pydantic_config__ = pydantic.ConfigDict(
                extra="forbid", arbitrary_types_allowed=True
            )
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
        getattr(module, type_name), config=None
    )
    adapter.rebuild(force=True, _types_namespace=names)
    return adapter


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(part) for name, part in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
