"""NBP201."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.leakage import leaks
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity
from nb2prod.source import cut


class PreprocessingLeakage(Rule):
    """A statistic, a scaler, an imputer or a selection is learned from all rows, before the split into
    training and test rows.

    Why it matters: the test rows have shaped the features, so the score is better than what production will
    see.

    Instead: split first, and fit on the training rows only; best in a `Pipeline`, which does so by itself.

    Which values exist (`LabelEncoder`, `OneHotEncoder`) is not counted, nor are statistics that are only
    shown. Of helper functions those are followed that fit a transformer on an argument. A plain statistic of
    a column (`mean`, `median`) moves little, and is a warning.
    """

    code, name, severity = "NBP201", "preprocessing-leakage", Severity.ERROR
    fires = (
        "X = StandardScaler().fit_transform(X)\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
        "m = LogisticRegression().fit(X_train, y_train)",
        "df['a'] = df['a'].fillna(df['a'].mean())\nX = df[['a']]\nX_train, X_test = train_test_split(X)\n"
        "m.fit(X_train)",
        "def scaled(a):\n    return MinMaxScaler().fit_transform(a)\nX = scaled(X)\n"
        "X_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "prep = make_pipeline(SimpleImputer(), RobustScaler())\nX = prep.fit_transform(X)\n"
        "X_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "s = RFE(model).fit(X, y)\nX = X.loc[:, s.support_]\nX_train, X_test = train_test_split(X)\n"
        "m.fit(X_train)",
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\ns = StandardScaler()\ns.fit(X)\n"
        "m.fit(s.transform(X_train), y_train)",
        "s = StandardScaler().fit(X)\nX_train, X_test = train_test_split(s.transform(X))\nm.fit(X_train)",
        "X = (X - X.mean()) / X.std()\nscore = cross_val_score(model.fit, X, y)",
        "X = StandardScaler().fit(X).transform(X)\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "import numpy as np\nlow, high = np.percentile(X['a'], [1, 99])\n"
        "X['a'] = np.clip(X['a'], low, high)\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "X['a'] = X['a'] / X['a'].sum()\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "X['a'] = pd.cut(X['a'], 4, labels=False)\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "best = RandomForestClassifier().fit(X, y).feature_importances_\nX = X.iloc[:, best.argsort()[-2:]]\n"
        "X_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "def centred(t):\n    t = t.copy()\n    t['a'] = t['a'] - t['a'].mean()\n    return t\n"
        "X = centred(X)\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "class Centre:\n    def fit(self, t):\n        self.mean = t.mean()\n        return self\n"
        "    def transform(self, t):\n        return t - self.mean\nX = Centre().fit(X).transform(X)\n"
        "X_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "s = StandardScaler().fit(X)\nX_train, X_test = train_test_split(X)\nX_train = s.transform(X_train)\n"
        "m.fit(X_train)",
        "X_train, X_test = train_test_split(X)\nboth = pd.concat([X_train, X_test])\n"
        "X_train = X_train - both.mean()\nm.fit(X_train)",
    )
    silent = (
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\nm.fit(X_train, y_train)\n"
        "p = PCA(2)\nflat = p.fit_transform(X)\nplt.scatter(flat[:, 0], flat[:, 1])",
        "p = make_pipeline(StandardScaler(), LogisticRegression())\nX_train, X_test = train_test_split(X)\n"
        "p.fit(X_train)",
        "def scaled(a):\n    return MinMaxScaler().fit_transform(a)\n"
        "X_train, X_test = train_test_split(X)\nX_train = scaled(X_train)\nm.fit(X_train)",
        "X_train, X_test, y_train, y_test = train_test_split(X, y)\ns = StandardScaler()\n"
        "X_train = s.fit_transform(X_train)\nX_test = s.transform(X_test)",
        "df['a'] = LabelEncoder().fit_transform(df['a'])\nX_train, X_test = train_test_split(df[['a']])\n"
        "m.fit(X_train)",
        "X['a'] = pd.cut(X['a'], [0, 30, 60])\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "X['share'] = X['a'] / X.sum(axis=1)\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "X_train, X_test = train_test_split(X)\nX_train = StandardScaler().fit(X_train).transform(X_train)\n"
        "m.fit(X_train)",
        "print(X.mean())\nX_train, X_test = train_test_split(X)\nm.fit(X_train)",
        "df['a'] = df['a'].fillna(df['a'].mean())\nX = df[['b']]\nX_train, X_test = train_test_split(X)\n"
        "m.fit(X_train)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        for leak in a.once(leaks):
            if leak.code != self.code:
                continue
            labels = [Label(leak.span, "learned here")]
            if leak.other is not None:
                labels.append(Label(leak.other, "the rows are split here"))
            yield self.found(
                a,
                "this is learned from all rows, the test rows among them",
                leak.span,
                labels,
                "split first, and fit on the training rows only, best in a `Pipeline`",
                None if "fit" in cut(a.notebook.cells[leak.span.cell].text, leak.span) else Severity.WARNING,
            )
