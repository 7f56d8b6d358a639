"""NBP401."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class RandomFeature(Rule):
    """Random numbers flow into a feature.

    Why it matters: a row that is scored later cannot get the number that it had in training, so the model
    sees features that mean nothing.

    Instead: draw only where rows are split or sampled, or leave the feature out.
    """

    code, name, severity, blocks_compile = "NBP401", "random-feature", Severity.ERROR, True
    message = "a feature depends on random numbers: `{subject}`"
    help = "draw only where rows are split or sampled, or leave the feature out"
    refused = (("np.random.rand(len(df))", ""),)
