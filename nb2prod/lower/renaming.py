"""Gives functions of a module's text another name with LibCST, wherever they are meant."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import MetadataWrapper, QualifiedName, QualifiedNameProvider, QualifiedNameSource


def with_names(text: str, names: dict[str, str], own: bool) -> str:
    """The text with these names; the function of a stage keeps its `own`."""
    tree = cst.parse_module(text + "\n")
    kept = {s.name.value for s in tree.body if own and isinstance(s, cst.FunctionDef)}
    return MetadataWrapper(tree).visit(_Rename(names, kept)).code.rstrip("\n")


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
