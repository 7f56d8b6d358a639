"""NBP406."""

from __future__ import annotations

from nb2prod.diagnostics import Diagnostic
from nb2prod.ir.refusal import Refusal
from nb2prod.rules import Analysis, Rule, Severity


class NoModel(Rule):
    """Nothing in the notebook looks like the fit of a model, or none has the name that was asked for.

    Why it matters: without a model there is nothing to train and nothing to serve.

    Instead: tag the cell that fits the model `train`, or put `# nb2prod: model` on the line of the fit.
    """

    code, name, severity, blocks_compile = "NBP406", "no-model", Severity.ERROR, True
    help = "tag the cell that fits the model `train`, or put `# nb2prod: model` on the line of the fit"
    refused = (("", ""), ("", "judged"), ("forest", "linear, tree"))

    def refuse(self, a: Analysis, refusal: Refusal) -> Diagnostic:
        if not refusal.subject and refusal.detail:
            text = f"no statement fits a model that the notebook keeps: `{refusal.detail}` fits one and ends"
            help = f"return the fitted model from the function: `model = {refusal.detail}(...)`"
            return self.found(a, text, refusal.span, (), help)
        if not refusal.subject:
            return self.found(a, "no statement of the notebook fits a model", refusal.span)
        help = f"the models fitted are {refusal.detail}" if refusal.detail else self.help
        return self.found(a, f"no model named `{refusal.subject}` is fitted", refusal.span, (), help)
