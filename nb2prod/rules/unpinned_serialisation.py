"""NBP314."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.calls import calls
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Rule, Severity

DUMPS = frozenset(
    """
    pickle.dump pickle.dumps joblib.dump dill.dump cloudpickle.dump torch.save cPickle.dump
    sklearn.externals.joblib.dump dill.dumps cloudpickle.dumps
    """.split()
)
RECORDS = ("__version__", "pip freeze", "pip list", "log_model", "requirements", "watermark", "show_versions")


class UnpinnedSerialisation(Rule):
    """A model is pickled, and no library version is recorded with it.

    Why it matters: a pickle is only good for the versions that wrote it. Loaded with others it fails, or
    predicts something else without a word.

    Instead: save the versions beside it, or log the model with MLflow, which does.

    A notebook that mentions `__version__`, `pip freeze` or `log_model` is taken to record them.
    """

    code, name, severity = "NBP314", "unpinned-serialisation", Severity.WARNING
    help = "save the versions of the libraries with the model, or use `mlflow.sklearn.log_model`"
    fires = (
        "import joblib\njoblib.dump(model, 'a.joblib')",
        "import pickle as pk\npk.dump(m, open('a', 'wb'))",
    )
    silent = (
        "import joblib, sklearn\njoblib.dump((model, sklearn.__version__), 'a.joblib')",
        "import json\njson.dump({}, open('a', 'w'))",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(calls)
        if every.apis.isdisjoint(DUMPS):
            return
        dumps = [call for call in every if call.api in DUMPS]
        if any(word in cell.text for cell in a.notebook.code_cells() for word in RECORDS):
            return
        for call in dumps:
            span = call.stmt.text.span(call.node)
            yield self.found(a, "saved without the versions of the libraries that can load it", span)
