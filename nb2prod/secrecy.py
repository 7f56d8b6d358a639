"""Secrets stay in the notebook: masked where it is copied (NBP410 refuses what the project would need)."""

from __future__ import annotations

import json

from nb2prod.rules.hard_coded_secret import secrets
from nb2prod.source import Notebook

MASK = "***"


def masked(text: str, notebook: Notebook) -> str:
    """JSON text (the notebook's file, a trace, a report) without the secrets of the notebook's code.

    Outputs that show one are masked as well: the text is replaced wherever it stands.
    """
    found = {secret for secret, _ in secrets(notebook)}
    for secret in sorted(found, key=len, reverse=True):
        for spelled in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            text = text.replace(spelled, MASK)
    return text
