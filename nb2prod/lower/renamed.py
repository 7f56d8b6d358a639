"""Gives the notebook's functions another name where the generated module has its own of that name.

def predict(theta, X)      in infer.py, which has its own:      def notebook_predict(theta, X)
"""

from __future__ import annotations

import re

from nb2prod.ir.project import Module

# What the templates define in each module.
TAKEN = {
    "load": {"load"},
    "features": {"features", "fit", "transform", "screened", "target", "Training"},
    "target": {"target"},
    "train": {"fit_model", "train", "Fitted", "Result", "CANDIDATES", "CheckError", "_log", "_model_params"},
    "infer": {
        "decide", "predict", "score", "Scores", "FileError", "read_rows", "write_rows", "predictions_of",
        "probabilities_of", "answered", "judged", "_header", "_score", "_suspect", "_column",
    },
}  # fmt: skip
DEFINED = re.compile(r"^(?:async )?(?:def|class) (\w+)", re.MULTILINE)


def renamed(name: str, module: Module) -> Module:
    """The module `name` with helpers that are named as nothing else in it."""
    defined = {found for text in (*module.helpers, *module.functions) for found in DEFINED.findall(text)}
    own = {found for text in module.helpers for found in DEFINED.findall(text)}
    names = {old: _free(f"notebook_{old.lstrip('_')}", defined) for old in own & TAKEN[name]}
    if not names:
        return module
    from nb2prod.lower.renaming import with_names

    helpers = tuple(with_names(text, names, own=False) for text in module.helpers)
    functions = tuple(with_names(text, names, own=True) for text in module.functions)
    return Module(module.imports, helpers, functions)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
