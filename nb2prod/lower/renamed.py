"""Gives the notebook's functions another name where the generated module has its own of that name.

def predict(theta, X)      in infer.py, which has its own:      def notebook_predict(theta, X)
"""

from __future__ import annotations

import re

import libcst as cst
from libcst.metadata import MetadataWrapper, QualifiedName, QualifiedNameProvider, QualifiedNameSource

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
    helpers = tuple(_with_names(text, names, own=False) for text in module.helpers)
    functions = tuple(_with_names(text, names, own=True) for text in module.functions)
    return Module(module.imports, helpers, functions)


def _with_names(text: str, names: dict[str, str], own: bool) -> str:
    """The text with these names; the function of a stage keeps its `own`."""
    tree = cst.parse_module(text + "\n")
    kept = {s.name.value for s in tree.body if own and isinstance(s, cst.FunctionDef)}
    return MetadataWrapper(tree).visit(_Rename(names, kept)).code.rstrip("\n")


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


class _Rename(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (QualifiedNameProvider,)

    def __init__(self, names: dict[str, str], kept: set[str]) -> None:
        super().__init__()
        self.names = names
        self.kept = kept

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        stays = original_node.name.value in self.kept
        return updated_node.with_changes(name=original_node.name) if stays else updated_node

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        new = self.names.get(original_node.value)
        found = self.get_metadata(QualifiedNameProvider, original_node, set())
        meant = QualifiedName(original_node.value, QualifiedNameSource.LOCAL)
        return updated_node.with_changes(value=new) if new and (not found or meant in found) else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)
