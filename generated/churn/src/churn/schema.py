"""A raw row as the feature code reads it, and what is wrong with a row that does not fit.

Required columns and missing values are those of the training data.  Other columns of a row are ignored.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .policies import is_missing


@dataclass(frozen=True)
class RowError:
    """Why a row is rejected; `row` counts from 0, `column` is None where no single one is at fault."""

    row: int | None
    column: str | None
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.column}: {self.message}" if self.column else self.message

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def reasons(errors: Sequence[RowError]) -> dict[str, int]:
    """How many rows have an error in each column; one that is of no column goes by its code."""
    return dict(
        Counter(
            where
            for _, where in {
                (error.row, error.column or error.code) for error in errors
            }
        )
    )


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        value = float(value)
    if _is_bool(value) or not isinstance(value, Real):
        raise _wrong("not_a_number", "a number", value)
    try:
        number = float(value)
    except OverflowError:  # a whole number may be longer than any float
        number = math.inf
    if not math.isfinite(number):
        raise _wrong("not_finite", "a finite number", value)
    return number


def _integer(value: Any) -> int:
    if isinstance(value, Integral) and not _is_bool(value):
        return int(value)
    number = _number(value)
    if not number.is_integer():
        raise _wrong("not_an_integer", "a whole number", value)
    return int(number)


def _flag(value: Any) -> bool:
    if not _is_bool(value):
        raise _wrong("not_a_boolean", "true or false", value)
    return bool(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("not_text", "text", value)
    return str(value)


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, datetime):
        return value
    elif isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise _wrong("not_a_time", "a date or time in ISO 8601", value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _wrong(code: str, expected: str, value: Any) -> PydanticCustomError:
    if value is None:
        return PydanticCustomError(
            "missing_value", "is empty; in the training data it never was"
        )
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    return PydanticCustomError(
        code, "must be {expected}, not {shown}", {"expected": expected, "shown": shown}
    )


Number = Annotated[float, BeforeValidator(_number)]
Integer = Annotated[int, BeforeValidator(_integer)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(_text)]
Moment = Annotated[
    Any,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Row(BaseModel):
    """One raw row."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "example": {
                "gender": "Female",
                "SeniorCitizen": 0,
                "Partner": "No",
                "Dependents": "No",
                "tenure": 27,
                "InternetService": "Fiber optic",
                "OnlineSecurity": "No",
                "TechSupport": "Yes",
                "Contract": "Month-to-month",
                "PaperlessBilling": "Yes",
                "PaymentMethod": "Bank transfer",
                "Region": "West",
                "SupportCalls": 1.0,
                "MonthlyCharges": 86.95,
                "TotalCharges": "2331.66",
            }
        },
    )

    gender: Text
    SeniorCitizen: Integer
    Partner: Text
    Dependents: Text
    tenure: Integer
    InternetService: Text
    OnlineSecurity: Text
    TechSupport: Text | None
    Contract: Text
    PaperlessBilling: Text
    PaymentMethod: Text | None
    Region: Text | None
    SupportCalls: Number | None
    MonthlyCharges: Number | None
    TotalCharges: Text

    @model_validator(mode="before")
    @classmethod
    def _not_a_number_is_missing(cls, row: Any) -> Any:
        """NaN, NaT and pandas' NA are how a file says that there is no value."""
        if not isinstance(row, dict):
            raise PydanticCustomError(
                "not_an_object", "a row must be an object with a value for each column"
            )
        return {
            str(column): None if is_missing(value) else value
            for column, value in row.items()
        }


COLUMNS = tuple(field.alias or name for name, field in Row.model_fields.items())


def check(
    rows: Sequence[Any], nullable: frozenset[str] = frozenset()
) -> tuple[dict[int, dict[str, Any]], list[RowError]]:
    """The valid rows by position, with the columns that features read, and what is wrong with the others.

    Columns in `nullable` may be empty though in training they never were.
    """
    kind = _accepting(nullable) if nullable else Row
    valid: dict[int, dict[str, Any]] = {}
    errors: list[RowError] = []
    for position, row in enumerate(rows):
        try:
            valid[position] = kind.model_validate(row).model_dump(by_alias=True)
        except ValidationError as error:
            errors += [
                _row_error(position, detail)
                for detail in error.errors(include_url=False)
            ]
    return valid, errors


@cache
def _accepting(nullable: frozenset[str]) -> type[Row]:
    """`Row` with more columns that may be empty."""
    fields: dict[str, Any] = {
        name: (
            Annotated[field.annotation, *field.metadata] | None,
            Field(alias=field.alias),
        )
        for name, field in Row.model_fields.items()
        if field.metadata and (field.alias or name) in nullable
    }
    return create_model("Row", __base__=Row, **fields)


def _row_error(position: int, detail: Any) -> RowError:
    column = str(detail["loc"][0]) if detail["loc"] else None
    if detail["type"] == "missing":
        return RowError(position, column, "missing_column", "is missing")
    return RowError(position, column, detail["type"], detail["msg"])
