"""The service's log: one line of JSON for each record."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from .settings import PACKAGE

ENCODE = json.JSONEncoder(default=str).encode


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return ENCODE(line)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": f"{__name__}.JsonLines"}},
    "handlers": {
        "out": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stdout",
        }
    },
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {PACKAGE: {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
}
