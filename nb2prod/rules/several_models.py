"""NBP405."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class SeveralModels(Rule):
    """Several models are fitted on different features, and nothing says which one is for production.

    Why it matters: a project has one model and one set of features. To guess would be to deploy the wrong
    one.

    Instead: name it: `nb2prod compile --model NAME`, or `# nb2prod: model` on the line of its fit.
    """

    code, name, severity, blocks_compile = "NBP405", "several-models", Severity.ERROR, True
    message = "several models, and nothing says which one is for production: {subject}"
    help = "choose one with `--model NAME`, or with `# nb2prod: model` on the line of its fit"
    refused = (("`forest`, `linear`", ""),)
