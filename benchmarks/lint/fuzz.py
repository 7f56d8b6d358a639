"""Coverage-guided fuzzing of `nb2prod lint` with atheris: whatever the bytes, no traceback.

    pip install atheris && python benchmarks/lint/fuzz.py [-max_total_time=60] [FOLDER OF TEXTS]

The bytes are read as a notebook file, as a script and as the text of a cell; each format prints the findings.
An exception, or a finding that blames nb2prod itself, ends the run with the input that caused it.
"""

from __future__ import annotations

import json
import sys

import atheris

with atheris.instrument_imports(include=["nb2prod"]):
    from nb2prod import lint, rules

    rules.all_rules()


def one(data: bytes) -> None:
    """Lints some bytes in three ways."""
    text = data.decode("utf-8", "replace")
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": text}
    notebook = json.dumps({"cells": [cell, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    for stored in (data, b"# %%\n" + data, notebook.encode()):
        found = lint.lint(["-"], stdin=lambda stored=stored: stored)
        for format in lint.FORMATS:
            lint.report(found, format)
        faults = [d.message for file in found for d in file.found if "fault of nb2prod" in d.message]
        assert not faults, faults


atheris.Setup(sys.argv, one)
atheris.Fuzz()
