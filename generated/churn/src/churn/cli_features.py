"""`python -m churn features ...`: the versions in the feature store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .console import AsJson, Project, failing, printing_aside, say
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
    if not found:
        typer.echo("no versions yet; `train` keeps the first")
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


@app.command("materialise")
def materialise(project: Project = None, as_json: AsJson = False) -> None:
    """Compute the champion's features of all entities in the data, for `latest`, `as-of` and the service."""
    with failing(), printing_aside():
        from . import catalogue, entities, pipeline, registry

        settings = load_settings(project)
        version = registry.load(settings)
        found = entities.materialise(
            settings, version, pipeline.load(settings, version.package, say)
        )
    found.pop("parts")
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))


@app.command("latest")
def latest(
    key: Annotated[
        str,
        typer.Argument(
            help="The entity, as the column `entity` of config.toml has it."
        ),
    ],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """The newest features of an entity."""
    with failing(), printing_aside():
        from . import catalogue, entities, registry

        settings = load_settings(project)
        found = entities.latest(settings, registry.load(settings), key)
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))


@app.command("as-of")
def as_of(
    source: Annotated[
        Path,
        typer.Option(
            "--input", help="CSV or Parquet with columns of entities and times."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", help="CSV or Parquet to write, one row for each."),
    ],
    project: Project = None,
) -> None:
    """The features of entities as they were known at given times: what may be learned from at that time."""
    with failing(), printing_aside():
        from . import entities, infer, registry

        if output.suffix.lower() not in infer.FORMATS:
            raise typer.BadParameter(
                f"must end in {', '.join(infer.FORMATS)}", param_hint="--output"
            )
        settings = load_settings(project)
        found = entities.as_of(
            settings, registry.load(settings), infer.read_rows(source)
        )
        if output.suffix.lower() == ".csv":
            found.to_csv(output, index=False)
        else:
            found.to_parquet(output, index=False)
    typer.echo(f"{len(found)} rows to {output}")


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
