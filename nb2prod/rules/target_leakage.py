"""NBP203."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class TargetLeakage(Rule):
    """The target, or a column that was made from it, is among the features.

    Why it matters: the model learns to copy the answer. In production the answer is not there.

    Instead: drop the column from the features, or learn it from the training rows only.

    Columns are followed by their names, as far as the text shows them.
    """

    code, name, severity = "NBP203", "target-leakage", Severity.ERROR
    fires = (
        "X, y = df[['a', 'b']], df['a']\nX_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "m.fit(X_train, y_train)",
        "y = df['t']\ndf['z'] = df['t'] * 2\nX = df[['a', 'z']]\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm.fit(X_train, y_train)",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\ns = StandardScaler()\ns.fit(df.drop('left', axis=1))\n"
        "X = s.transform(df.drop('left', axis=1))\na, b, c, d = train_test_split(X, df['left'])\nm.fit(a, c)",
        "import pandas as pd\ndf = pd.read_csv('a')\nX = make_pipeline(Select(['b'])).fit_transform(df)\n"
        "scores = cross_val_score(m, X, df['left'])\nm.fit(1, 2)",
        "import pandas as pd\ndf = pd.read_csv('a')\ncols = ['a', 'b']\n"
        "X = hstack([words.fit_transform(df['text']), scaler.fit_transform(df[cols])]).tocsr()\n"
        "a, b, c, d = train_test_split(X, df['left'].values)\nm.fit(a, c)",
        "iris = load_iris()\nscores = cross_val_score(m, iris.data, iris.target)\nm.fit(X, y)",
        "import pandas as pd\ndf = pd.read_csv('a')\nwords = CountVectorizer()\n"
        "X = words.fit_transform(df['text'])\ny = df['left'].values\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm.fit(X_train, y_train)",
        "import pandas as pd\niris = load_iris()\ndf = pd.DataFrame(iris.data)\ndf['kind'] = iris.target\n"
        "X, y = df[iris.feature_names], df['kind']\na, b, c, d = train_test_split(X, y)\nm.fit(a, c)",
        "X, y = df.drop(columns='t'), df['t']\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm.fit(X_train, y_train)",
        "X, y = df[['a']], df['t']\nX_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "m.fit(X_train, y_train)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "made here")]
            if leak.other is not None:
                labels.append(Label(leak.other, "the features are taken here"))
            yield self.found(
                a,
                f"`{leak.subject}` is the target, or was made from it, and is among the features",
                leak.span,
                labels,
                f"drop `{leak.subject}` from the features",
            )
