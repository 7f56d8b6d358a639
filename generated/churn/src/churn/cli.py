"""`python -m churn ...`: arguments, printing and exit codes."""

from __future__ import annotations

import gc
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from . import cli_features
from .console import AsJson, Number, Project, Why, failing, printing_aside, say
from .settings import PREFIX, Settings, load_settings

app = typer.Typer(
    help="churn: train, predict, serve, promote and roll back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(cli_features.app, name="features")


@app.command()
def train(project: Project = None, as_json: AsJson = False) -> None:
    """Train, check, log to MLflow, register and, if the policy is `auto`, promote."""
    with failing(), printing_aside():
        from . import pipeline

        settings = load_settings(project)
        result = pipeline.run(settings, say)
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
    with failing(), printing_aside():
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
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder of `export` to serve from, without MLflow."),
    ] = None,
    project: Project = None,
) -> None:
    """Serve the champion over HTTP; SIGTERM ends it when the requests at hand are answered."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # one row at a time gains nothing from threads and waits for them
        os.environ.setdefault(name, "1")
    with failing(), tempfile.TemporaryDirectory() as counters:
        import uvicorn

        from .logs import LOGGING

        settings = load_settings(project)
        several = workers or settings.workers
        if several == 1:
            gc.disable()  # until the champion is loaded
        if bundle is not None:
            os.environ[f"{PREFIX}BUNDLE"] = str(bundle.resolve())
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
    with failing():
        from . import registry

        settings = load_settings(project)
        rows = registry.listing(settings)
        moves = (
            [change.to_dict() for change in registry.history(settings)] if rows else []
        )
    if as_json:
        typer.echo(json.dumps({"versions": rows, "history": moves}, indent=1))
        return
    if not rows:
        typer.echo("no versions yet; `train` registers the first")
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
        if row["decided"]:
            decided = row["decided"]
            why = f": {decided['why']}" if decided["why"] else ""
            typer.echo(
                f"      {row['approval']} by {decided['who']}, {decided['when'][:19]}{why}"
            )
        if row["retrained"] and row["retrained"] != row["decided"].get("why"):
            typer.echo(f"      retrain: {row['retrained']}")
    for move in moves:
        why = f"  ({move['why']})" if move["why"] else ""
        typer.echo(
            f"{move['when'][:19]}  {move['who']}: {move['alias']} {move['old']} -> {move['new']}{why}"
        )


@app.command()
def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output", help="Folder of the bundle; made where it is not there."
        ),
    ],
    version: Annotated[
        str, typer.Option("--version", help="Number or alias of the version.")
    ] = "champion",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Copy a version into a folder that `serve --bundle` answers from without MLflow."""
    with failing():
        from . import bundle

        number = bundle.export(load_settings(project), version, output)
    typer.echo(
        json.dumps({"exported": number})
        if as_json
        else f"version {number} is in {output}"
    )


@app.command()
def approve(
    number: Number, why: Why = "", project: Project = None, as_json: AsJson = False
) -> None:
    """Say that a version may be promoted."""
    with failing():
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
    with failing():
        from . import registry

        change = registry.promote(load_settings(project), number, why)
    _print_change(change, f"version {number} is the champion already", as_json)


@app.command()
def reject(
    number: Number, why: Why = "", project: Project = None, as_json: AsJson = False
) -> None:
    """Say that a version must not serve, whatever the policy."""
    with failing():
        from . import registry

        registry.reject(load_settings(project), number, why)
    typer.echo(
        json.dumps({"rejected": number}) if as_json else f"version {number} is rejected"
    )


@app.command()
def rollback(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="V", help="An earlier champion; by default the last."
        ),
    ] = "",
    why: Why = "",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Return to an earlier champion, after it was loaded back once more."""
    with failing():
        from . import registry

        change = registry.rollback(load_settings(project), why, to)
    _print_change(change, "", as_json)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="load, features, train, or all.")],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Run one stage on what the stage before it left, or all; one without changes is skipped."""
    with failing(), printing_aside():
        from . import pipeline

        settings = load_settings(project)
        result = pipeline.stage(settings, name, say)
    if result is not None:
        _print_result(settings, result, as_json)
    elif as_json:
        typer.echo(json.dumps({"stage": name}))


@app.command()
def monitor(project: Project = None, as_json: AsJson = False) -> None:
    """Test the logged predictions for drift.  Exit code 0: quiet, 1: alarm, 3: not enough data, 2: it failed."""
    with failing(2):  # 1 is an alarm
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
            if found.unmatched:
                typer.echo(
                    f"  {found.unmatched} labels are about predictions that the log does not hold"
                )
            typer.echo(
                f"  look at it: {settings.artifacts / 'monitor' / 'report.html'}"
            )
    raise typer.Exit(found.exit_code)


@app.command()
def retrain(
    force: Annotated[
        bool, typer.Option("--force", help="Also shortly after the last attempt.")
    ] = False,
    if_drift: Annotated[
        bool,
        typer.Option(
            "--if-drift", help="Only where `monitor` finds drift or lost quality."
        ),
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Train a challenger and promote it only if it wins.  Exit code 0: promoted, 10: kept the champion, 1: failed."""
    with failing(), printing_aside():
        from . import retrain as retraining

        found = retraining.run(load_settings(project), force, say, if_drift)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
    else:
        typer.echo(
            f"{'promoted version ' + found.challenger if found.promoted else 'kept the champion'}: {found.why}"
        )
    raise typer.Exit(found.exit_code)


def _print_result(settings: Settings, result: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1))
        return
    typer.echo(f"model {result.model_name} version {result.version}: {result.status}")
    for name, value in result.metrics.items():
        typer.echo(f"  {name:<24} {value!r}")
    for check in result.checks:
        typer.echo(f"  {check['status']:<8} {check['check']} ({check['detail']})")
    hashes = {
        "features": result.feature_version,
        "code": result.code_hash,
        "model": result.model_hash,
    }
    typer.echo(
        f"  {', '.join(f'{name} {text[:12]}' for name, text in hashes.items())}, run {result.run_id}"
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
