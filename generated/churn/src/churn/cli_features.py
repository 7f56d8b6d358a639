"""`python -m churn features ...`: the versions in the feature store."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .console import AsJson, Project, failing
from .settings import load_settings

app = typer.Typer(
    help="Versions of the features, kept in the feature store.", no_args_is_help=True
)
Key = Annotated[
    str,
    typer.Argument(
        help="The beginning of a version of the features; see `features list`."
    ),
]


@app.command("list")
def list_(project: Project = None, as_json: AsJson = False) -> None:
    """The stored versions, newest first."""
    with failing():
        from . import store

        found = [one.to_dict() for one in store.entries(load_settings(project))]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for one in found:
        size = f"{one['rows']} x {one['columns']}, {one['bytes'] / 1e6:.1f} MB"
        hashes = f"features {one['feature_version'][:12]}  code {one['definition'][:8]}  data {one['data'][:8]}"
        typer.echo(
            f"{one['key'][:12]}  {one['created'][:19]}  {size:<28} {hashes}  fit on {one['fit_on']}"
        )


@app.command("describe")
def describe(key: Key, project: Project = None, as_json: AsJson = False) -> None:
    """A version: where it comes from, its columns, what it learned."""
    with failing():
        from . import catalogue, store

        settings = load_settings(project)
        found = catalogue.describe(settings, store.find(settings, key))
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))


@app.command("diff")
def diff(
    before: Key, after: Key, project: Project = None, as_json: AsJson = False
) -> None:
    """Which columns changed between two versions, by how much, and why.  Exit code 1 where they differ."""
    with failing():
        from . import catalogue, store

        settings = load_settings(project)
        found = catalogue.diff(
            settings, store.find(settings, before), store.find(settings, after)
        )
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))
    raise typer.Exit(
        1
        if any(found[name] for name in ("added", "removed", "changed", "learned"))
        else 0
    )


@app.command("gc")
def gc(
    keep: Annotated[
        int, typer.Option(help="How many of the newest versions stay.", min=0)
    ] = 10,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Remove old versions, but none that the champion or the challenger uses, and what killed runs left."""
    with failing():
        from . import catalogue, registry, store

        settings = load_settings(project)
        used = {
            one["feature_version"]
            for one in registry.listing(settings)
            if one["aliases"]
        }
        found = store.gc(settings, keep, used)
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))
