"""A mapping file: what the columns of a seller's own file mean, where we could not guess.

{"columns": {"Bezeichnung": "title", "Farbe": "option:Colour", "Gewicht": "attribute:Weight"},
 "currency": "EUR", "decimal": ",", "delimiter": ";", "encoding": "cp1252"}
"""

import codecs
import json
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from commerce.catalogue.columns import Field as ColumnField
from commerce.errors import CatalogueFileError

_FIELDS = frozenset(get_args(ColumnField))
_LARGEST_BYTES = 1024 * 1024


class Mapping(BaseModel):
    """What a mapping file says.

    Attributes:
        columns: Meaning by heading: a field such as ``title``, ``option:NAME``,
            ``attribute:NAME`` or ``ignore``.
        currency: Of prices that name none.
        price_unit: ``minor`` when prices are whole cents.
        decimal: What stands before the decimals of every price.
        delimiter: Between the cells of a table.
        encoding: Of the file, as Python names it.
        rows: Path to the list of products inside a JSON file, such as ``data.items``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = Field(default_factory=dict, max_length=1000)
    currency: str | None = None
    price_unit: Literal["major", "minor"] = "major"
    decimal: Literal[".", ","] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    rows: str | None = None

    @field_validator("columns")
    @classmethod
    def _known_meanings(cls, columns: dict[str, str]) -> dict[str, str]:
        for heading, meaning in columns.items():
            kind, _, name = meaning.partition(":")
            if meaning in _FIELDS or meaning == "ignore":
                continue
            if kind in {"option", "attribute"} and name.strip():
                continue
            raise ValueError(
                f"{heading!r} cannot mean {meaning!r}; use option:NAME, attribute:NAME, ignore or"
                f" one of {', '.join(sorted(_FIELDS))}"
            )
        return columns

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                codecs.lookup(encoding)
            except LookupError:
                raise ValueError(f"{encoding!r} is no encoding; write one such as gbk") from None
        return encoding


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        CatalogueFileError: Not there, not JSON, or a column means nothing we know.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise CatalogueFileError(f"mapping {path.name} is too large to be one")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CatalogueFileError(f"mapping {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CatalogueFileError(
            f"mapping {path.name} is not JSON; see docs/catalogue.md"
        ) from None
    try:
        return Mapping.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise CatalogueFileError(f"mapping {path.name}: {place}: {reason}") from None
