"""Monitoring: the predictions of the last days against the baseline of the version that made them.

A test alarms only if it is significant after Benjamini-Hochberg over all tests of the report, and if its effect
is beyond a threshold: a fixed floor, or what resampling the baseline at this window's size gives by chance,
whichever is larger.  On fewer rows than `monitor_rows` nothing is said but "not enough data".
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import time
import urllib.request
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from scipy import stats

from . import audit, baseline, registry, report, retention, segments
from .settings import PACKAGE, Settings

log = logging.getLogger(__name__)
QUIET, ALARM, TOO_FEW = 0, 1, 3
LEVEL = 0.01
RESAMPLES = 100
# resampling at more rows than that changes no threshold: the floors are larger
LARGEST = 5000
PLOTTED = 50_000
FLOORS = {
    "drift": 0.1,
    "missing": 0.05,
    "refused": 0.05,
    "unseen": 0.01,
    "outside": 0.01,
    "quality": 0.05,
}


@dataclass(frozen=True)
class Finding:
    """One test of one column: `effect` beyond `threshold` and `p` below the level together are an alarm."""

    kind: str
    column: str
    rows: int
    effect: float
    threshold: float
    p: float
    detail: str
    alarm: bool = False


@dataclass(frozen=True)
class Report:
    """What a run of `monitor` found; `unmatched` labels are about no prediction that the log holds, and `refused` are
    rows that the service did not score."""

    status: str
    why: str
    model_version: str
    since: str
    rows: int
    labels: int
    findings: list[Finding]
    quality: dict[str, float]
    unmatched: int = 0
    refused: int = 0

    @property
    def exit_code(self) -> int:
        return {"quiet": QUIET, "alarm": ALARM}.get(self.status, TOO_FEW)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(settings: Settings) -> Report:
    """Test the window, write report.json, report.html and metrics.prom, and send alarms."""
    version = registry.load(settings)
    since = (datetime.now(UTC) - timedelta(days=settings.monitor_days)).isoformat()
    predictions = settings.artifacts / "predictions"
    rows, labels = segments.read(predictions, since)
    rows = rows[rows["model_version"].astype(str) == version.number]
    # Labels may come weeks after their predictions: those that came in these days judge, whatever they are about.
    judged = labels[labels["model_version"].astype(str) == version.number]
    refused = segments.refusals(predictions, since)
    refused = refused[refused["model_version"].astype(str) == version.number]
    found = examine(
        rows,
        version.info,
        version.number,
        settings.monitor_rows,
        since,
        judged,
        refused,
    )
    found = replace(found, unmatched=int(labels["model_version"].isna().sum()))
    found = with_audit(found, audit.audit(rows, version))
    folder = settings.artifacts / "monitor"
    folder.mkdir(parents=True, exist_ok=True)
    _publish(folder / "report.json", json.dumps(found.to_dict(), indent=1))
    plotted = rows.sample(min(len(rows), PLOTTED), random_state=0)
    _publish(
        folder / "report.html",
        report.page(found, plotted, version.info.get("baseline")),
    )
    _publish(folder / "metrics.prom", prometheus(found))
    if found.status == "alarm":
        _alert(settings, found)
    _tidy(predictions, settings)
    return found


def _tidy(predictions: Path, settings: Settings) -> None:
    """What the service does with its log, also where it runs no more: `log_days` is a promise."""
    try:
        retention.recover(predictions)
        retention.prune(predictions, retention.days_kept(settings))
    except OSError as error:  # whoever monitors may have no right to write
        log.warning("the prediction log is not tidied: %s", error)


def with_audit(found: Report, audited: audit.Audit) -> Report:
    """One answer that the batch does not give is an alarm, on however few rows."""
    if not audited.rows:
        return found
    share = audited.differing / audited.rows
    one = Finding(
        "skew",
        "prediction",
        audited.rows,
        share,
        0.0,
        float(not share),
        audited.detail,
        share > 0,
    )
    found = replace(found, findings=[*found.findings, one])
    if not one.alarm:
        return found
    told = f"{audited.differing} of {audited.rows} served rows give another answer in a batch"
    why = f"{told}, {found.why}" if found.status == "alarm" else told
    return replace(found, status="alarm", why=why)


def examine(
    rows: pd.DataFrame,
    info: dict[str, Any],
    number: str,
    fewest: int,
    since: str = "",
    judged: pd.DataFrame | None = None,
    refused: pd.DataFrame | None = None,
) -> Report:
    """All tests of a window of logged predictions, with the columns `row.<name>` and `prediction`.

    `judged` are predictions of any time with a `label`; by default those of the window that have one.  `refused` are
    requests of the window with rows that the service did not score.
    """
    base = info.get("baseline")
    count = len(rows)
    empty = Report(
        "not enough data",
        "",
        number,
        since,
        count,
        0 if judged is None else len(judged),
        [],
        {},
    )
    if base is None:
        return replace(empty, why=f"version {number} was trained without a baseline")
    findings: list[Finding] = []
    if refused is not None:
        empty = replace(empty, refused=int(refused["refused"].sum()))
        findings += _refusals(
            refused, count + empty.refused, base.get("refused"), fewest
        )
    if count < fewest:
        few = f"{count} predictions of version {number}; monitor_rows is {fewest}"
        return _concluded(replace(empty, why=few), findings)
    for name, profile in base["columns"].items():
        values = rows.get(f"row.{name}", pd.Series([None] * count, dtype=object))
        findings += _column(name, values, profile, fewest, "input")
    for name, profile in base["predictions"].items():
        if name in rows:
            findings += _column(name, rows[name], profile, fewest, "prediction")
    if judged is None:
        judged = rows[rows["label"].notna()] if "label" in rows else rows.iloc[:0]
    lost, quality = _quality(rows, judged, base["quality"], info.get("labels"), fewest)
    enough = replace(empty, status="quiet", labels=len(judged), quality=quality)
    return _concluded(enough, findings + lost)


def _concluded(found: Report, findings: list[Finding]) -> Report:
    """The report with these findings, corrected for their number; one that alarms makes an alarm of it."""
    corrected = _corrected(findings)
    alarms = [f"{one.kind} of {one.column}" for one in corrected if one.alarm]
    if not alarms:
        return replace(found, findings=corrected)
    return replace(found, status="alarm", why=", ".join(alarms), findings=corrected)


def _refusals(
    refused: pd.DataFrame, count: int, base: dict[str, Any] | None, fewest: int
) -> list[Finding]:
    """More rows refused for a column than of the raw data: what is refused is in no other test."""
    if base is None or count < fewest:
        return []
    now: Counter[str] = Counter()
    for reasons in refused["reasons"]:
        now.update(json.loads(reasons))
    names = dict.fromkeys([*base["reasons"], *now])
    return [
        _share(
            "refused", name, now[name], count, base["reasons"].get(name, 0), base["n"]
        )
        for name in names
    ]


def _column(
    name: str, values: pd.Series, profile: dict[str, Any], fewest: int, what: str
) -> list[Finding]:
    """The tests of one column."""
    kind = profile["kind"]
    numbers = baseline.as_numbers(values) if kind == "number" else values
    known = numbers.dropna()
    absent = int(numbers.isna().sum())
    found = [
        _share(
            "missing",
            name,
            absent,
            len(values),
            profile["missing"] * profile["n"],
            profile["n"],
        )
    ]
    if kind == "text" or len(known) < fewest:
        return found
    drift = f"{what} drift"
    if kind == "number":
        low, high = profile["range"]
        outside = int(((known < low) | (known > high)).sum())
        found.append(_share("outside", name, outside, len(known), 2, profile["n"]))
        return [*found, _numbers(drift, name, known.to_numpy(), profile)]
    counts = {
        str(value): int(count)
        for value, count in baseline.as_text(known).value_counts().items()
    }
    table = profile["table"]
    unseen = sum(
        count
        for value, count in counts.items()
        if value not in table and value not in profile["other"]
    )
    found.append(
        _share("unseen", name, unseen, len(known), profile["once"], profile["n"])
    )
    return [
        *found,
        _categories(drift, name, counts, table, sum(profile["other"].values())),
    ]


def _numbers(
    kind: str, name: str, values: np.ndarray, profile: dict[str, Any]
) -> Finding:
    """Kolmogorov-Smirnov, and how far the quantiles moved in standard deviations."""
    sample = np.array(profile["sample"])
    scale = profile["scale"] or 1.0
    expected = np.array(profile["quantiles"])

    def moved(given: np.ndarray) -> Any:
        return (
            np.abs(np.quantile(given, baseline.GRID, axis=-1).T - expected).mean(
                axis=-1
            )
            / scale
        )

    size = min(len(values), LARGEST)
    chance = float(moved(_draw().choice(sample, (RESAMPLES, size))).max())
    effect = float(moved(values))
    p = float(stats.ks_2samp(sample, values, method="asymp")[1])
    detail = (
        f"mean {values.mean():.4g}, quantiles moved by {effect:.2f} standard deviations"
    )
    return Finding(
        kind, name, len(values), effect, max(FLOORS["drift"], chance), p, detail
    )


def _categories(
    kind: str, name: str, counts: dict[str, int], table: dict[str, int], other: int
) -> Finding:
    """Chi-square, and the share of rows that would have to change."""
    now = [counts.get(value, 0) for value in table]
    seen = np.array([*table.values(), other], dtype=float)
    window = np.array([*now, sum(counts.values()) - sum(now)], dtype=float)
    filled = seen + window > 0
    seen, window = seen[filled], window[filled]
    share = seen / seen.sum()

    def moved(given: np.ndarray) -> Any:
        return (
            np.abs(given / given.sum(axis=-1, keepdims=True) - share).sum(axis=-1) / 2
        )

    size = min(int(window.sum()), LARGEST)
    chance = float(moved(_draw().multinomial(size, share, RESAMPLES)).max())
    effect = float(moved(window))
    p = float(stats.chi2_contingency([seen, window])[1]) if len(seen) > 1 else 1.0
    detail = f"{effect:.1%} of the rows are in another category"
    return Finding(
        kind, name, int(window.sum()), effect, max(FLOORS["drift"], chance), p, detail
    )


def _draw() -> np.random.Generator:
    """What draws windows from the training data itself: the largest effect of `RESAMPLES` of them is chance."""
    return np.random.default_rng(0)


def _share(
    kind: str, name: str, count: int, of: int, before: float, before_of: int
) -> Finding:
    """More rows of a kind than training had: Fisher's exact test, and by how much of all rows."""
    expected = before / before_of if before_of else 0.0
    effect = (
        abs(count / of - expected)
        if kind == "missing"
        else max(count / of - expected, 0.0)
    )
    side = "two-sided" if kind == "missing" else "greater"
    counts = [[count, of - count], [round(before), before_of - round(before)]]
    p = float(stats.fisher_exact(counts, alternative=side)[1])
    size = min(of, LARGEST)
    chance = float(
        np.abs(_draw().binomial(size, expected, RESAMPLES) / size - expected).max()
    )
    detail = f"{count / of:.2%} of {of} rows; {expected:.2%} in training"
    return Finding(kind, name, of, effect, max(FLOORS[kind], chance), p, detail)


def _quality(
    rows: pd.DataFrame,
    labelled: pd.DataFrame,
    base: dict[str, float],
    known: list[Any] | None,
    fewest: int,
) -> tuple[list[Finding], dict[str, float]]:
    """How good the predictions were where labels came back, and how good the model's own doubts say they are."""
    findings, quality = [], {}
    odds = [name for name in rows if str(name).startswith("probability.")]
    if base.get("calibration_error", 1.0) <= FLOORS["quality"] and odds:
        labels = [str(name).removeprefix("probability.") for name in odds]
        sure = baseline.confidence(
            rows["prediction"], labels, rows[odds].to_numpy(dtype=float)
        )
        quality["estimated_accuracy"] = float(sure.mean())
        error = base["confidence_sd"] * (1 / base["n"] + 1 / len(sure)) ** 0.5
        lost = base["confidence"] - float(sure.mean())
        findings.append(
            _lost(
                "estimated accuracy",
                lost,
                error,
                len(sure),
                f"{sure.mean():.4f} by its own probabilities",
            )
        )
    if len(labelled) < fewest or not base:
        return findings, quality
    strange = ~_could_be_said(labelled["label"], base, known)
    if strange.any():  # they are in other words, or units, than the predictions: that is no loss of quality
        findings.append(
            _share(
                "unseen", "label", int(strange.sum()), len(labelled), 0, int(base["n"])
            )
        )
        labelled = labelled[~strange]
    if len(labelled) < fewest:
        return findings, quality
    if "accuracy" in base:
        same = baseline.as_text(labelled["prediction"]) == baseline.as_text(
            labelled["label"]
        )
        now, before = float(same.mean()), base["accuracy"]
        quality["accuracy"] = now
        error = (before * (1 - before) * (1 / base["n"] + 1 / len(same))) ** 0.5
        findings.append(
            _lost(
                "accuracy",
                before - now,
                error,
                len(same),
                f"{now:.4f}, {before:.4f} when trained",
            )
        )
    elif "mae" in base:
        wrong = (
            baseline.as_numbers(labelled["prediction"])
            - baseline.as_numbers(labelled["label"])
        ).abs()
        quality["mae"] = float(wrong.mean())
        worse = float(wrong.mean()) / (base["mae"] or 1.0) - 1
        error = (
            base["mae_sd"]
            * (1 / base["n"] + 1 / len(wrong)) ** 0.5
            / (base["mae"] or 1.0)
        )
        findings.append(
            _lost(
                "mae",
                worse,
                error,
                len(wrong),
                f"{wrong.mean():.4g}, {base['mae']:.4g} when trained",
            )
        )
    return findings, quality


def _could_be_said(
    labels: pd.Series, base: dict[str, float], known: list[Any] | None
) -> pd.Series:
    """Which labels the model itself could have given: a number, or one of its classes."""
    if "mae" in base:
        return baseline.as_numbers(labels).map(np.isfinite)
    texts = baseline.as_text(labels)
    return texts.isin(baseline.as_text(pd.Series(known, dtype=object))) | (
        known is None
    )


def _lost(name: str, lost: float, error: float, rows: int, detail: str) -> Finding:
    """A loss of quality: a one-sided z-test."""
    p = float(stats.norm.sf(lost / error)) if error > 0 else float(lost <= 0)
    threshold = FLOORS["quality"] * (4 if name == "mae" else 1)
    return Finding("quality", name, rows, max(lost, 0.0), threshold, p, detail)


def _corrected(findings: list[Finding]) -> list[Finding]:
    """With p-values after Benjamini-Hochberg, and the alarms."""
    if not findings:
        return []
    adjusted = _adjusted(np.array([one.p for one in findings]))
    return [
        replace(one, p=float(p), alarm=bool(p < LEVEL and one.effect > one.threshold))
        for one, p in zip(findings, adjusted, strict=True)
    ]


def _adjusted(p: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's adjusted p-values."""
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


def prometheus(found: Report) -> str:
    """The findings as gauges: the service's `/metrics` shows them, and a node exporter can read them as a text file."""
    made: dict[str, Any] = {
        "namespace": PACKAGE,
        "subsystem": "monitor",
        "registry": CollectorRegistry(),
    }
    where = ["model_version", "kind", "column"]
    Gauge("time_seconds", "When monitoring last ended", **made).set_to_current_time()
    Gauge("rows", "Predictions in its window", **made).set(found.rows)
    Gauge("labels", "Labels that came in its window", **made).set(found.labels)
    Gauge(
        "labels_unmatched", "Labels of predictions that the log does not hold", **made
    ).set(found.unmatched)
    Gauge("refused", "Rows in its window that were not scored", **made).set(
        found.refused
    )
    Gauge("alarms", "Tests that alarm", **made).set(
        sum(one.alarm for one in found.findings)
    )
    effect = Gauge("effect", "How far a column is from training", where, **made)
    threshold = Gauge(
        "threshold", "What the effect must exceed to alarm", where, **made
    )
    alarm = Gauge("alarm", "Whether the column alarms", where, **made)
    for one in found.findings:
        at = (found.model_version, one.kind, one.column)
        effect.labels(*at).set(one.effect)
        threshold.labels(*at).set(one.threshold)
        alarm.labels(*at).set(one.alarm)
    return generate_latest(made["registry"]).decode()


def _publish(path: Path, text: str) -> None:
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.write_text(text, encoding="utf-8")
    written.replace(path)


def _alert(settings: Settings, found: Report, tries: int = 3) -> None:
    """To the log and, where there is one, to the webhook; a webhook that is down does not stop the report."""
    log.warning("%s: %s", settings.model_name, found.why)
    if not settings.webhook:
        return
    body = {
        "text": f"{settings.model_name} version {found.model_version}: {found.why}",
        "alarms": [asdict(one) for one in found.findings if one.alarm],
    }
    request = urllib.request.Request(
        settings.webhook,
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    for attempt in range(tries):
        try:
            urllib.request.urlopen(request, timeout=5).close()
            return
        except (
            OSError,
            http.client.HTTPException,
        ) as error:  # it is down, or no web server
            log.warning("the webhook failed (%d of %d): %s", attempt + 1, tries, error)
            if attempt + 1 < tries:
                time.sleep(2**attempt)
