"""`python -m churn ...`: arguments, printing and exit codes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from .settings import PREFIX, Settings, SettingsError, load_settings

app = typer.Typer(
    help="churn: train, predict, serve, promote and roll back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

features = typer.Typer(
    help="Versions of the features, kept in the feature store.", no_args_is_help=True
)
app.add_typer(features, name="features")

Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help="Folder with config.toml; by default the nearest one upwards."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
Key = Annotated[
    str,
    typer.Argument(
        help="The beginning of a version of the features; see `features list`."
    ),
]
Number = Annotated[
    str, typer.Argument(metavar="V", help="Number of a version; see `versions`.")
]


@app.command()
def train(project: Project = None, as_json: AsJson = False) -> None:
    """Train, check, log to MLflow, register and, if the policy is `auto`, promote."""
    with _failing(), _printing_aside():
        from . import pipeline

        settings = load_settings(project)
        result = pipeline.run(settings, _say)
    _print_result(settings, result, as_json)


@app.command()
def predict(
    source: Annotated[
        Path, typer.Option("--input", help="CSV or Parquet with raw rows.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", help="CSV or Parquet to write, one row for each."),
    ],
    version: Annotated[
        str, typer.Option("--version", help="Number or alias of the version to use.")
    ] = "champion",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Score a file.  Exit code 1 if a row was rejected: it has no prediction and `error` says why."""
    with _failing(), _printing_aside():
        from . import registry
        from .infer import FORMATS, read_rows, write_rows
        from .infer import predict as score

        if output.suffix.lower() not in FORMATS:
            raise typer.BadParameter(
                f"must end in {', '.join(FORMATS)}", param_hint="--output"
            )
        settings = load_settings(project)
        rows = read_rows(source)
        used = registry.load(settings, version)
        parts = []
        starts = range(0, max(len(rows), 1), 20_000)
        with typer.progressbar(starts, label="scoring", file=sys.stderr) as progress:
            for start in progress:
                parts.append(score(rows.iloc[start : start + 20_000], used))
        rejected = write_rows(parts, output)
    summary = {
        "rows": len(rows),
        "rejected": rejected,
        "output": str(output),
        "model_version": used.number,
    }
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(
            f"version {used.number}: {len(rows)} rows to {output}, {rejected} rejected"
        )
    raise typer.Exit(1 if rejected else 0)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that serve.")
    ] = None,
    project: Project = None,
) -> None:
    """Serve the champion over HTTP; SIGTERM ends it when the requests at hand are answered."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(
            name, "1"
        )  # one row at a time gains nothing from threads and waits for them
    with _failing(), tempfile.TemporaryDirectory() as counters:
        import uvicorn

        from .logs import LOGGING

        settings = load_settings(project)
        several = workers or settings.workers
        os.environ[f"{PREFIX}PROJECT"] = str(
            settings.project
        )  # for the processes that serve
        if several > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters
        uvicorn.run(
            f"{__package__}.serve:create_app",
            factory=True,
            host=host or settings.host,
            port=port or settings.port,
            workers=several,
            log_config=LOGGING,
            access_log=False,
            server_header=False,
            timeout_worker_healthcheck=60,  # a process that imports on a busy machine is not dead
            timeout_graceful_shutdown=math.ceil(settings.request_seconds),
        )


@app.command()
def versions(project: Project = None, as_json: AsJson = False) -> None:
    """List the registered versions and the moves of the aliases."""
    with _failing():
        from . import registry

        settings = load_settings(project)
        rows = registry.listing(settings)
        moves = (
            [change.to_dict() for change in registry.history(settings)] if rows else []
        )
    if as_json:
        typer.echo(json.dumps({"versions": rows, "history": moves}, indent=1))
        return
    for row in rows:
        marks = ", ".join([*row["aliases"], row["validation"], row["approval"]]).strip(
            ", "
        )
        metrics = "  ".join(
            f"{name} {value!r}" for name, value in row["metrics"].items()
        )
        typer.echo(
            f"{row['version']:>4}  {marks:<28}  features {row['feature_version'][:12]}  {metrics}"
        )
    for move in moves:
        why = f"  ({move['why']})" if move["why"] else ""
        typer.echo(
            f"{move['when'][:19]}  {move['who']}: {move['alias']} {move['old']} -> {move['new']}{why}"
        )


@app.command()
def approve(
    number: Number, why: Why = "", project: Project = None, as_json: AsJson = False
) -> None:
    """Say that a version may be promoted."""
    with _failing():
        from . import registry

        registry.approve(load_settings(project), number, why)
    typer.echo(
        json.dumps({"approved": number}) if as_json else f"version {number} is approved"
    )


@app.command()
def promote(
    number: Number, why: Why = "", project: Project = None, as_json: AsJson = False
) -> None:
    """Make a version the champion."""
    with _failing():
        from . import registry

        change = registry.promote(load_settings(project), number, why)
    _print_change(change, f"version {number} is the champion already", as_json)


@app.command()
def rollback(why: Why = "", project: Project = None, as_json: AsJson = False) -> None:
    """Return to the previous champion."""
    with _failing():
        from . import registry

        change = registry.rollback(load_settings(project), why)
    _print_change(change, "", as_json)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="load, features or train.")],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Run one stage on what the stage before it left, for an orchestrator."""
    with _failing(), _printing_aside():
        from . import pipeline

        settings = load_settings(project)
        result = pipeline.stage(settings, name, _say)
    if result is not None:
        _print_result(settings, result, as_json)
    elif as_json:
        typer.echo(json.dumps({"stage": name}))


@app.command()
def monitor(project: Project = None, as_json: AsJson = False) -> None:
    """Test the logged predictions for drift.  Exit code 0: quiet, 1: alarm, 3: not enough data."""
    with _failing():
        from . import monitor as monitoring

        settings = load_settings(project)
        found = monitoring.run(settings)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
    else:
        typer.echo(f"{found.status}{': ' if found.why else ''}{found.why}")
        for one in found.findings:
            if one.alarm:
                typer.echo(f"  {one.kind:<18} {one.column:<20} {one.detail}")
        typer.echo(f"  look at it: {settings.artifacts / 'monitor' / 'report.html'}")
    raise typer.Exit(found.exit_code)


@app.command()
def retrain(
    force: Annotated[
        bool, typer.Option("--force", help="Also shortly after the last attempt.")
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Train a challenger and promote it only if it wins.  Exit code 0: promoted, 10: kept the champion, 1: failed."""
    with _failing(), _printing_aside():
        from . import retrain as retraining

        found = retraining.run(load_settings(project), force, _say)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
    else:
        typer.echo(
            f"{'promoted version ' + found.challenger if found.promoted else 'kept the champion'}: {found.why}"
        )
    raise typer.Exit(found.exit_code)


@features.command("list")
def features_list(project: Project = None, as_json: AsJson = False) -> None:
    """The stored versions, newest first."""
    with _failing():
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


@features.command("describe")
def features_describe(
    key: Key, project: Project = None, as_json: AsJson = False
) -> None:
    """A version: where it comes from, its columns, what it learned."""
    with _failing():
        from . import catalogue, store

        settings = load_settings(project)
        found = catalogue.describe(settings, store.find(settings, key))
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))


@features.command("diff")
def features_diff(
    before: Key, after: Key, project: Project = None, as_json: AsJson = False
) -> None:
    """Which columns changed between two versions, by how much, and why.  Exit code 1 where they differ."""
    with _failing():
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


@features.command("gc")
def features_gc(
    keep: Annotated[
        int, typer.Option(help="How many of the newest versions stay.", min=0)
    ] = 10,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Remove old versions, but none that the champion or the challenger uses, and what killed runs left."""
    with _failing():
        from . import catalogue, registry, store

        settings = load_settings(project)
        used = {
            one["feature_version"]
            for one in registry.listing(settings)
            if one["aliases"]
        }
        found = store.gc(settings, keep, used)
    typer.echo(json.dumps(found, indent=1) if as_json else catalogue.text(found))


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """An expected failure is a message and exit code 1; anything else shows its traceback."""
    try:
        yield
    except (SettingsError, OSError) as error:
        message = str(error)
    except Exception as error:
        if not type(error).__module__.startswith(
            (__package__, "mlflow.")
        ):  # ours, a version's, the store's
            raise
        message = str(error)
    else:
        return
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


@contextlib.contextmanager
def _printing_aside() -> Iterator[None]:
    """What the notebook's code prints goes to standard error: standard output is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _say(text: str) -> None:
    typer.echo(f"- {text}", err=True)


def _print_result(settings: Settings, result: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1))
        return
    typer.echo(f"model {result.model_name} version {result.version}: {result.status}")
    for name, value in result.metrics.items():
        typer.echo(f"  {name:<24} {value!r}")
    for check in result.checks:
        typer.echo(f"  {check['status']:<8} {check['check']} ({check['detail']})")
    typer.echo(
        f"  features {result.feature_version[:12]}, code {result.code_hash[:12]}, run {result.run_id}"
    )
    local = settings.tracking_uri.startswith("sqlite:")
    typer.echo(
        f"  look at it: {'mlflow ui --backend-store-uri ' if local else ''}{settings.tracking_uri}"
    )
    if result.status == "pending":
        typer.echo(f"  next: approve {result.version}, then promote {result.version}")


def _print_change(change: Any, otherwise: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"change": change.to_dict() if change else None}))
    elif change is None:
        typer.echo(otherwise)
    else:
        typer.echo(f"champion: version {change.new} (before: {change.old})")
