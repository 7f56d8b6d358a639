"""Cases that no rule was made with: written afterwards, with other APIs and other disguises.

The figures of their first run are in the README of the repository; a class of faults that they showed is mended
since, so that a new set is needed for the next fair figure.
"""
# ruff: noqa: E501

from __future__ import annotations

MANY = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.datasets import make_classification\n"
    "X, y = make_classification(n_samples=120, n_features=6, random_state=3)\n# %%\n"
)

# (notebook, whether it is clean)
RANDOM = (
    (
        MANY
        + "from sklearn.neural_network import MLPClassifier\nm = MLPClassifier(max_iter=5).fit(X, y)\nm.loss_",
        False,
    ),
    (
        MANY
        + "from sklearn.ensemble import ExtraTreesClassifier\nm = ExtraTreesClassifier(n_estimators=3).fit(X, y)\nm.feature_importances_",
        False,
    ),
    (
        MANY
        + "from sklearn.ensemble import BaggingClassifier\nm = BaggingClassifier(n_estimators=3).fit(X, y)\np = m.predict_proba(X)",
        False,
    ),
    (
        MANY
        + "from sklearn.ensemble import IsolationForest\np = IsolationForest(n_estimators=5).fit(X).score_samples(X)",
        False,
    ),
    (
        MANY
        + "from sklearn.mixture import GaussianMixture\nm = GaussianMixture(3, init_params='random').fit(X)\nm.means_",
        False,
    ),
    (
        MANY
        + "from sklearn.model_selection import KFold\nparts = [list(a) for a, b in KFold(3, shuffle=True).split(X)]",
        False,
    ),
    (
        MANY
        + "from sklearn.model_selection import ShuffleSplit, cross_val_score\nfrom sklearn.linear_model import LogisticRegression\ns = cross_val_score(LogisticRegression(), X, y, cv=ShuffleSplit(4))",
        False,
    ),
    (
        MANY
        + "from sklearn.model_selection import StratifiedKFold\nfolds = [b.tolist() for a, b in StratifiedKFold(n_splits=4, shuffle=True).split(X, y)]",
        False,
    ),
    (MANY + "from sklearn.utils import resample\nZ = resample(X, n_samples=20)", False),
    (MANY + "from sklearn.utils import shuffle\nX2, y2 = shuffle(X, y)", False),
    (
        MANY
        + "from sklearn.random_projection import GaussianRandomProjection\nZ = GaussianRandomProjection(3).fit_transform(X)",
        False,
    ),
    (
        MANY + "from sklearn.manifold import TSNE\nZ = TSNE(perplexity=5, init='random').fit_transform(X)",
        False,
    ),
    (
        MANY
        + "from sklearn.inspection import permutation_importance\nfrom sklearn.linear_model import LogisticRegression\nr = permutation_importance(LogisticRegression().fit(X, y), X, y, n_repeats=3)\nimp = r.importances",
        False,
    ),
    (
        MANY
        + "from sklearn.model_selection import RandomizedSearchCV\nfrom sklearn.linear_model import LogisticRegression\nimport scipy.stats as st\ns = RandomizedSearchCV(LogisticRegression(), {'C': st.uniform(0.1, 5)}, n_iter=3).fit(X, y)\nbest = s.best_params_",
        False,
    ),
    (
        MANY
        + "from sklearn.linear_model import SGDClassifier\nm = SGDClassifier(max_iter=5).fit(X, y)\nm.coef_",
        False,
    ),
    (
        MANY
        + "from sklearn.kernel_approximation import RBFSampler\nZ = RBFSampler(n_components=4).fit_transform(X)",
        False,
    ),
    (MANY + "from sklearn import datasets\nA, b = datasets.make_blobs(30)", False),
    (
        MANY
        + "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.tree import DecisionTreeClassifier\nm = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_features=1)).fit(X, y)\np = m[-1].feature_importances_",
        False,
    ),
    (
        MANY
        + "from sklearn.tree import DecisionTreeRegressor as Tree\nmodels = {'t': Tree(splitter='random')}\nfor m in models.values():\n    m.fit(X, y)\nimp = models['t'].feature_importances_",
        False,
    ),
    (
        MANY
        + "from sklearn.preprocessing import QuantileTransformer\nZ = QuantileTransformer(n_quantiles=10, subsample=30).fit_transform(X)",
        False,
    ),
    (
        MANY
        + "import sklearn.cluster as cl\nlabels = cl.MiniBatchKMeans(5, n_init=1).fit(X).cluster_centers_",
        False,
    ),
    (
        MANY
        + "from sklearn.decomposition import LatentDirichletAllocation\nZ = LatentDirichletAllocation(3, max_iter=2).fit_transform(np.abs(X))",
        False,
    ),
    ("import numpy as np\ngen = np.random.Generator(np.random.PCG64())\nx = gen.integers(0, 10**6)", False),
    ("from numpy.random import default_rng\nx = default_rng().permutation(50)", False),
    ("import numpy as np\nx = np.random.RandomState().rand(2)", False),
    ("import numpy as np\nss = np.random.SeedSequence()\nx = np.random.default_rng(ss).random()", False),
    ("import numpy as np\nr = np.random\nx = r.choice(10**6, 3)", False),
    ("import numpy as np\ndef noise(n):\n    return np.random.standard_normal(n)\n# %%\nx = noise(4)", False),
    ("import numpy as np\nx = np.arange(60)\nnp.random.shuffle(x)", False),
    ("import numpy as np\nnp.random.seed()\nx = np.random.rand()", False),
    ("import numpy as np\nnp.random.seed(None)\nx = np.random.rand()", False),
    ("import random\nrandom.seed()\nx = random.gauss(0, 1)", False),
    ("import random\nr = random.Random()\nx = r.random()", False),
    ("import random\nr = random.SystemRandom()\nx = r.random()", False),
    ("import secrets\ntoken = secrets.token_hex(4)", False),
    ("import secrets\nx = secrets.randbelow(10**9)", False),
    ("import uuid\nrun = str(uuid.uuid1())", False),
    ("from uuid import uuid4\nname = f'model-{uuid4()}'", False),
    ("import os\nsalt = os.urandom(4).hex()", False),
    ("import time\nstamp = int(time.time_ns())", False),
    ("import time\nname = 'model_' + time.strftime('%H%M%S') + str(time.perf_counter())", False),
    ("from datetime import datetime as dt\nversion = dt.utcnow().isoformat()", False),
    ("import pandas as pd\nd = pd.DataFrame({'a': [1]})\nd['at'] = pd.Timestamp.now()", False),
    ("import pandas as pd\nage = pd.to_datetime('now') - pd.Timestamp('2000-01-01')", False),
    ("import pandas as pd\ntoday = pd.Timestamp('now')", False),
    ("words = set('the quick brown fox jumps'.split())\nindex = {w: i for i, w in enumerate(words)}", False),
    ("names = list({'ann', 'bob', 'cid', 'dot'})\nfirst = names[0]", False),
    ("cols = ['a', 'b', 'c', 'd', 'e']\ndrop = ['b']\nkeep = list(set(cols) - set(drop))", False),
    ("a = frozenset(['x', 'yy', 'zzz', 'w'])\ntext = ','.join(a)", False),
    ("x = hash('house')", False),
    ("names = ['p', 'qq', 'rrr', 's']\nbucket = [hash(n) % 97 for n in names]", False),
    ("s = {'one', 'two', 'three', 'four'}\nx = s.pop()", False),
    ("s = {'one', 'two', 'three', 'four'}\nx = next(iter(s))", False),
    ("s = {'one', 'two', 'three', 'four'}\nx = [*s]", False),
    ("s = set(['one', 'two', 'three', 'four'])\nfor v in s:\n    last = v", False),
    ("import pandas as pd\ns = pd.Series(list({'one', 'two', 'three', 'four'}))", False),
    ("import numpy as np\na = np.array(list(set(['one', 'two', 'three', 'four'])))", False),
    ("import pandas as pd\nd = pd.DataFrame({'a': range(100)})\nd2 = d.sample(n=5)", False),
    (
        "import pandas as pd\nd = pd.DataFrame({'a': range(100)})\nw = d['a'].sample(5, replace=True).tolist()",
        False,
    ),
    (
        "import pandas as pd\nd = pd.DataFrame({'g': [1, 2] * 20, 'a': range(40)})\nz = d.groupby('g').sample(3)",
        False,
    ),
    ("import scipy.stats as st\nx = st.norm.rvs(size=3)", False),
    ("from scipy import stats\nx = stats.bernoulli(0.5).rvs(40)", False),
    ("import tempfile\npath = tempfile.mkdtemp()", False),
    ("x = id(object())\ny = [id([]) for _ in range(2)]", False),
    ("import os\nx = os.getpid()", False),
    # clean
    (
        MANY
        + "from sklearn.model_selection import KFold, cross_val_score\nfrom sklearn.linear_model import LogisticRegression\ns = cross_val_score(LogisticRegression(), X, y, cv=KFold(4))",
        True,
    ),
    (
        MANY
        + "from sklearn.model_selection import StratifiedKFold, GridSearchCV\nfrom sklearn.linear_model import LogisticRegression\ns = GridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=StratifiedKFold(3)).fit(X, y).best_params_",
        True,
    ),
    (
        MANY
        + "from sklearn.model_selection import StratifiedShuffleSplit\nparts = [a.tolist() for a, b in StratifiedShuffleSplit(3, random_state=7).split(X, y)]",
        True,
    ),
    (MANY + "from sklearn.svm import SVC\nm = SVC().fit(X, y)\np = m.predict(X)", True),
    (
        MANY
        + "from sklearn.ensemble import GradientBoostingClassifier\nSEED = 5\nm = GradientBoostingClassifier(n_estimators=3, random_state=SEED).fit(X, y)\np = m.predict_proba(X)",
        True,
    ),
    (
        MANY
        + "from sklearn.ensemble import RandomForestClassifier\nopts = dict(n_estimators=3, random_state=5)\nm = RandomForestClassifier(**opts).fit(X, y)\np = m.predict_proba(X)",
        True,
    ),
    (
        MANY
        + "from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(n_estimators=3)\nm.set_params(random_state=1)\np = m.fit(X, y).predict_proba(X)",
        True,
    ),
    (
        MANY
        + "from sklearn.neighbors import KNeighborsClassifier\np = KNeighborsClassifier().fit(X, y).predict(X)",
        True,
    ),
    (MANY + "from sklearn.decomposition import PCA\nZ = PCA(2).fit_transform(X)", True),
    (
        MANY
        + "from sklearn.model_selection import train_test_split\na, b = train_test_split(X, shuffle=False)",
        True,
    ),
    (
        MANY
        + "from sklearn.mixture import BayesianGaussianMixture\np = BayesianGaussianMixture(n_components=2, random_state=0, max_iter=5).fit(X).means_",
        True,
    ),
    (
        MANY
        + "from functools import partial\nfrom sklearn.tree import DecisionTreeClassifier\nTree = partial(DecisionTreeClassifier, random_state=0)\np = Tree().fit(X, y).predict(X)",
        True,
    ),
    ("import numpy as np\nx = np.random.default_rng(np.random.SeedSequence(5)).random()", True),
    ("import numpy as np\ng = np.random.Generator(np.random.MT19937(4))\nx = g.standard_normal(3)", True),
    ("import numpy as np\nr = np.random.RandomState(3)\nx = r.permutation(9)", True),
    (
        "import numpy as np\nfrom sklearn.utils import check_random_state\nr = check_random_state(3)\nx = r.permutation(9)",
        True,
    ),
    ("import random\nr = random.Random(3)\nx = r.sample(range(9), 3)", True),
    ("import random\nrandom.seed('abc')\nx = random.sample(range(9), 3)", True),
    (
        "import numpy as np\ndef everything(n):\n    np.random.seed(n)\neverything(4)\n# %%\nx = np.random.rand()",
        True,
    ),
    ("import time\nstart = time.time()\nx = sum(range(9))\nprint(time.time() - start)", True),
    ("from datetime import datetime, timedelta\nx = datetime(2020, 1, 1) + timedelta(days=3)", True),
    ("import uuid\nx = uuid.uuid5(uuid.NAMESPACE_DNS, 'a')", True),
    ("s = {'one', 'two', 'three'}\nx = sorted(s)\nn = len(s)\nhas = 'one' in s", True),
    ("s = {'one', 'two', 'three'}\nx = sorted(list(s), key=len)\nx.sort()\nx[0]", True),
    ("s = {'one', 'two'} | {'three'}\nn = sum(len(w) for w in s)\nm = max(s)", True),
    ("s = {'one', 'two', 'three'}\nt = {w.upper() for w in s}\nd = all(w for w in s)", True),
    ("x = list(dict.fromkeys(['b', 'a', 'b']))", True),
    ("d = {'a': 1, 'b': 2}\nx = [k for k in d]\ny = list(d.keys() & {'a'})", True),
    ("import hashlib\nx = hashlib.md5(b'house').hexdigest()", True),
    ("s = {1, 2, 3}\nx = list(s)", True),
    (
        "import pandas as pd\nd = pd.DataFrame({'g': [2, 1, 2], 'a': [1, 2, 3]})\nx = d.groupby('g').sum()\nu = d['g'].unique().tolist()",
        True,
    ),
    (
        "import pandas as pd\nd = pd.DataFrame({'a': range(10)})\nx = d.sample(frac=1, random_state=2).reset_index(drop=True)",
        True,
    ),
    ("import scipy.stats as st\nx = st.norm.rvs(size=3, random_state=1)", True),
    ("import scipy.stats as st\nx = st.norm.cdf(1.0)\nt = st.ttest_ind([1, 2, 3], [2, 3, 5]).pvalue", True),
    ("import pandas as pd\nx = pd.to_datetime('2020-01-01').year", True),
)

# (notebook, whether it is clean); the first part is the data
FRAME = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\n"
    "from sklearn.linear_model import *\nfrom sklearn.pipeline import *\nfrom sklearn.feature_selection import *\n"
    "from sklearn.impute import *\nfrom sklearn.decomposition import *\nfrom sklearn.compose import *\n# %%\n"
    "df = pd.read_csv('people.csv')\ntarget = 'left'\n# %%\n"
)
TWO = "X = df.drop(columns=[target])\ny = df[target]\n"
CUT = "# %%\nXtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=1)\n"
END = "# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))"
LEAKAGE = (
    (
        FRAME
        + TWO
        + "def scaled(a):\n    s = MinMaxScaler()\n    return s.fit_transform(a)\nX = scaled(X)\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "prep = make_pipeline(SimpleImputer(), RobustScaler())\nX = prep.fit_transform(X)\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "ct = ColumnTransformer([('n', StandardScaler(), ['age', 'pay'])])\nX = ct.fit_transform(X)\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "X = pd.DataFrame(PowerTransformer().fit_transform(X), columns=X.columns)\n"
        + CUT
        + END,
        False,
    ),
    (FRAME + TWO + "pca = PCA(3)\npca.fit(X)\nZ = pca.transform(X)\nX = Z\n" + CUT + END, False),
    (FRAME + TWO + "X = SelectKBest(f_classif, k=3).fit_transform(X, y)\n" + CUT + END, False),
    (
        FRAME
        + TWO
        + "sel = RFE(LogisticRegression(), n_features_to_select=3).fit(X, y)\nX = X.loc[:, sel.support_]\n"
        + CUT
        + END,
        False,
    ),
    (FRAME + TWO + "X = KNNImputer().fit_transform(X)\n" + CUT + END, False),
    (
        FRAME
        + "for c in ['age', 'pay']:\n    df[c] = (df[c] - df[c].min()) / (df[c].max() - df[c].min())\n"
        + TWO
        + CUT
        + END,
        False,
    ),
    (FRAME + "m = df['age'].median()\ndf['age'] = df['age'].fillna(m)\n" + TWO + CUT + END, False),
    (FRAME + "df['city_rate'] = df.groupby('city')[target].transform('mean')\n" + TWO + CUT + END, False),
    (
        FRAME
        + "rates = df.groupby('city')[target].mean()\ndf['city'] = df['city'].map(rates)\n"
        + TWO
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + "df['age'] = df.groupby('city')['age'].transform(lambda v: v.fillna(v.median()))\n"
        + TWO
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "from imblearn.over_sampling import SMOTE\nX, y = SMOTE(random_state=0).fit_resample(X, y)\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "from imblearn.over_sampling import RandomOverSampler\nros = RandomOverSampler(random_state=0)\nXo, yo = ros.fit_resample(X, y)\n# %%\nXtr, Xte, ytr, yte = train_test_split(Xo, yo, random_state=1)\n"
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + "from imblearn.combine import SMOTEENN\nX, y = SMOTEENN(random_state=0).fit_resample(X, y)\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + "from sklearn.utils import resample\nfew = df[df[target] == 1]\nmany = df[df[target] == 0]\nup = resample(few, replace=True, n_samples=len(many), random_state=0)\ndf = pd.concat([many, up])\n"
        + TWO
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "s = StandardScaler()\nXtr = s.fit_transform(Xtr)\nXte = s.fit_transform(Xte)\n"
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "s = StandardScaler()\ns.fit(Xtr)\nXtr = s.transform(Xtr)\ns.fit(Xte)\nXte = s.transform(Xte)\n"
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "Xte = pd.DataFrame(SimpleImputer(strategy='median').fit_transform(Xte), columns=Xte.columns)\n"
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "def prepare(a):\n    return MinMaxScaler().fit_transform(a)\nXtr = prepare(Xtr)\nXte = prepare(Xte)\n"
        + END,
        False,
    ),
    (FRAME + TWO + CUT + "# %%\nclf = LogisticRegression().fit(X, y)\nprint(clf.score(Xte, yte))", False),
    (
        FRAME
        + TWO
        + CUT
        + "# %%\nclf = LogisticRegression()\nclf.fit(pd.concat([Xtr, Xte]), pd.concat([ytr, yte]))\nprint(clf.score(Xte, yte))",
        False,
    ),
    (FRAME + TWO + CUT + "# %%\nclf = LogisticRegression().fit(Xte, yte)\nprint(clf.score(Xte, yte))", False),
    (FRAME + "X = df[['age', 'pay', 'left']]\ny = df['left']\n" + CUT + END, False),
    (
        FRAME
        + "df['risk'] = df['left'] * 2 + df['age']\nX = df[['age', 'risk']]\ny = df['left']\n"
        + CUT
        + END,
        False,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "# %%\nbest, keep = 0, None\nfor C in [0.1, 1, 10]:\n    m = LogisticRegression(C=C).fit(Xtr, ytr)\n    a = m.score(Xte, yte)\n    if a > best:\n        best, keep = a, m\nprint(keep.score(Xte, yte))",
        False,
    ),
    (
        FRAME
        + "X = df[['age', 'pay']].values\ny = df[target].values\nsc = StandardScaler().fit(X)\n# %%\nXtr, Xte, ytr, yte = train_test_split(sc.transform(X), y, random_state=1)\n"
        + END,
        False,
    ),
    (
        FRAME
        + "from sklearn.feature_extraction.text import TfidfVectorizer\nvec = TfidfVectorizer()\nX = vec.fit_transform(df['text'])\ny = df[target]\n"
        + CUT
        + END,
        False,
    ),
    (FRAME + "df['pay'] = pd.qcut(df['pay'], 4, labels=False)\n" + TWO + CUT + END, False),
    (
        FRAME
        + "corr = df.corr(numeric_only=True)[target].abs()\ncols = corr[corr > 0.1].index.drop(target)\nX = df[cols]\ny = df[target]\n"
        + CUT
        + END,
        False,
    ),
    (FRAME + TWO + "X = normalize_all(X) if False else scale(X)\n" + CUT + END, False),
    # clean
    (
        FRAME
        + TWO
        + CUT
        + "s = MaxAbsScaler().fit(Xtr)\nXtr, Xte = s.transform(Xtr), s.transform(Xte)\n"
        + END,
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "# %%\nclf = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())\nclf.fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        FRAME
        + TWO
        + "prep = ColumnTransformer([('n', StandardScaler(), ['age', 'pay'])])\n"
        + CUT
        + "# %%\nclf = Pipeline([('p', prep), ('m', LogisticRegression())]).fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        FRAME
        + TWO
        + "clf = make_pipeline(StandardScaler(), LogisticRegression())\nprint(cross_val_score(clf, X, y, cv=4))",
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "from imblearn.over_sampling import SMOTE\nXtr, ytr = SMOTE(random_state=0).fit_resample(Xtr, ytr)\n"
        + END,
        True,
    ),
    (FRAME + TWO + CUT + "med = Xtr.median()\nXtr = Xtr.fillna(med)\nXte = Xte.fillna(med)\n" + END, True),
    (
        FRAME
        + TWO
        + CUT
        + "def prepare(a, s):\n    return s.transform(a)\ns = StandardScaler().fit(Xtr)\nXtr = prepare(Xtr, s)\nXte = prepare(Xte, s)\n"
        + END,
        True,
    ),
    (
        FRAME + "df['pay'] = np.log1p(df['pay'])\ndf['ratio'] = df['pay'] / df['age']\n" + TWO + CUT + END,
        True,
    ),
    (
        FRAME
        + "df['age'] = df['age'].clip(0, 90).fillna(0)\ndf['old'] = (df['age'] > 60).astype(int)\n"
        + TWO
        + CUT
        + END,
        True,
    ),
    (FRAME + "df['city'] = df['city'].map({'a': 0, 'b': 1})\n" + TWO + CUT + END, True),
    (
        FRAME
        + "print(df.groupby('city')[target].mean())\nprint(df.describe())\nprint(df.corr(numeric_only=True))\n"
        + TWO
        + CUT
        + END,
        True,
    ),
    (
        FRAME
        + "tr, te = train_test_split(df, test_size=0.2, random_state=0)\nrates = tr.groupby('city')[target].mean()\ntr = tr.assign(rate=tr['city'].map(rates))\nte = te.assign(rate=te['city'].map(rates))\n# %%\nclf = LogisticRegression().fit(tr[['rate']], tr[target])\nprint(clf.score(te[['rate']], te[target]))",
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "grid = GridSearchCV(LogisticRegression(), {'C': [1, 10]}, cv=3).fit(Xtr, ytr)\n# %%\nprint(grid.score(Xte, yte))",
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + END
        + "\n# %%\nfinal = LogisticRegression().fit(X, y)\nimport joblib\njoblib.dump(final, 'm.joblib')",
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "# %%\nXtr2, Xval, ytr2, yval = train_test_split(Xtr, ytr, random_state=2)\nbest = max([0.1, 1], key=lambda C: LogisticRegression(C=C).fit(Xtr2, ytr2).score(Xval, yval))\nclf = LogisticRegression(C=best).fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        FRAME
        + TWO
        + "scaler = StandardScaler()\n"
        + CUT
        + "scaler.fit(Xtr)\n# %%\nXtr = scaler.transform(Xtr)\nXte = scaler.transform(Xte)\n"
        + END,
        True,
    ),
    (FRAME + "df = df.dropna()\ndf = df.drop_duplicates()\n" + TWO + CUT + END, True),
    (FRAME + TWO + "y = LabelEncoder().fit_transform(y)\n" + CUT + END, True),
    (
        FRAME
        + TWO
        + CUT
        + "sel = SelectKBest(k=2).fit(Xtr, ytr)\nXtr = sel.transform(Xtr)\nXte = sel.transform(Xte)\n"
        + END,
        True,
    ),
    (
        FRAME
        + TWO
        + CUT
        + "yte_hat = LogisticRegression().fit(Xtr, ytr).predict(Xte)\nfrom sklearn.metrics import *\nprint(accuracy_score(yte, yte_hat), f1_score(yte, yte_hat), confusion_matrix(yte, yte_hat))",
        True,
    ),
)

D = "import pandas as pd\nimport numpy as np\nq = pd.DataFrame({'a': [3, 1, 2], 'b': [4.0, 5.0, 6.0], 'c': [1, 1, 2]})"
# (set up, a cell that uses it, the cell that changes it, whether it is clean)
LATE = (
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q['a'] = q['a'] * 10", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.loc[q['a'] > 1, 'b'] = 0", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.iloc[0, 0] = 100", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.at[0, 'a'] = 100", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.drop(columns=['c'], inplace=True)", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.sort_values('a', inplace=True)", False),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "q.fillna(0, inplace=True)\nq.reset_index(drop=True, inplace=True)",
        False,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "del q['c']", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "c = q.pop('c')", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.insert(0, 'k', [1, 2, 3])", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.columns = ['x', 'y', 'z']", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.index = [7, 8, 9]", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q[['a', 'b']] = 0", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.eval('d = a + b', inplace=True)", False),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "q.update(pd.DataFrame({'a': [9, 9, 9]}))",
        False,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "for col in ['a', 'b']:\n    q[col] = q[col] / q[col].sum()",
        False,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "def clean(frame):\n    frame['a'] = 0\n    return frame\nr = clean(q)",
        False,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "def clean(frame):\n    frame.dropna(inplace=True)\n    frame.drop(columns='b', inplace=True)\nclean(q)",
        False,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = q\nr['n'] = 1", False),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "for f in (q,):\n    f['n'] = 1", False),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "frames = [q]\nfor f in frames:\n    f.drop('c', axis=1, inplace=True)",
        False,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "def outer(t):\n    inner(t)\ndef inner(t):\n    t['z'] = 1\nouter(q)",
        False,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "(lambda t: t.insert(0, 'u', 1))(q)", False),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "q.rename(columns={'a': 'A'}, inplace=True)",
        False,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "q.set_index('c', inplace=True)", False),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "with pd.option_context('mode.copy_on_write', True):\n    q['b'] += 1",
        False,
    ),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "v += 1", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "v[v > 2] = 0", False),
    ("import numpy as np\nv = np.arange(5)[::-1].copy()", "s = v[0]", "v.sort()", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "np.random.default_rng(1).shuffle(v)", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "v.fill(3)", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "np.put(v, [0], [9])", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "np.copyto(v, 2)", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "np.add(v, 1, out=v)", False),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "w = v[1:]\nw[0] = 99", False),
    ("import numpy as np\nv = np.arange(6)", "s = v.sum()", "m = v.reshape(2, 3)\nm[0, 0] = 99", False),
    ("v = {'a': [1]}", "n = len(v['a'])", "v['a'].append(2)", False),
    ("v = {'a': 1}", "n = len(v)", "v |= {'b': 2}", False),
    ("v = {'a': 1}", "n = len(v)", "v.setdefault('z', 3)", False),
    ("from collections import defaultdict, deque\nv = deque([1, 2])", "n = v[0]", "v.rotate(1)", False),
    ("from collections import Counter\nv = Counter('aab')", "n = v['a']", "v.subtract('a')", False),
    ("v = {1, 2}", "n = len(v)", "v.symmetric_difference_update({2, 3})", False),
    ("v = [3, 1]", "n = v[0]", "v[:] = sorted(v)", False),
    ("v = [3, 1]", "n = v[0]", "import random\nrandom.Random(0).shuffle(v)", False),
    ("import heapq\nv = [3, 1]", "n = v[0]", "heapq.heapify(v)", False),
    ("import bisect\nv = [1, 3]", "n = v[1]", "bisect.insort(v, 2)", False),
    (
        "class Box:\n    def __init__(self):\n        self.x = 1\n    def up(self):\n        self.x += 1\nv = Box()",
        "n = v.x",
        "v.up()",
        False,
    ),
    ("class Box:\n    x = 1\nv = Box()", "n = v.x", "setattr(v, 'x', 4)", False),
    ("from types import SimpleNamespace\nv = SimpleNamespace(x=1)", "n = v.x", "v.x = 5", False),
    (
        "from sklearn.preprocessing import StandardScaler\nv = StandardScaler().fit([[1.0], [2.0]])",
        "n = v.transform([[1.0]])",
        "v.fit([[5.0], [9.0]])",
        False,
    ),
    # clean
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = q.drop(columns=['c'])\nr['n'] = 1", True),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = q.copy()\nr['a'] = 0", True),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "r = q[q['a'] > 1].copy()\nr.drop(columns='b', inplace=True)",
        True,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = q.assign(d=1).sort_values('d')", True),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "def clean(frame):\n    frame = frame.copy()\n    frame['a'] = 0\n    return frame\nr = clean(q)",
        True,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "q = pd.DataFrame({'a': [1]})\nq['b'] = 2",
        True,
    ),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "r = q.groupby('c')['a'].sum()\nr['x'] = 2",
        True,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = pd.concat([q, q])\nr['x'] = 2", True),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "r = q.to_numpy().astype(float).copy()\nr[0] = 2",
        True,
    ),
    (D, "top = q.to_numpy().tolist(), list(q), list(q.index)", "r = q.merge(q, on='a')\nr.pop('a')", True),
    (
        D,
        "top = q.to_numpy().tolist(), list(q), list(q.index)",
        "r = q.to_dict('records')\nr.append({})",
        True,
    ),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "w = np.sort(v)\nw[0] = 9", True),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "w = v[[0, 1]]\nw[0] = 9", True),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "w = v * 2\nw += 1\nw.fill(0)", True),
    ("import numpy as np\nv = np.arange(5)", "s = v.sum()", "np.add(v, 1, out=np.zeros(5, dtype=int))", True),
    ("v = [3, 1]", "n = v[0]", "w = sorted(v)\nw.append(3)\nu = v[:]\nu.pop()", True),
    ("v = [3, 1]", "n = v[0]", "w = [*v]\nw.append(1)\nx = list(v)\nx.clear()", True),
    ("v = {'a': 1}", "n = len(v)", "w = {**v, 'b': 2}\nw['c'] = 3\nv.get('a')", True),
    ("v = {'a': 1}", "n = len(v)", "w = dict(v)\nw.update(b=2)", True),
    ("v = [3, 1]", "n = v[0]", "import copy\nw = copy.deepcopy(v)\nw.append(1)", True),
    ("v = 3", "n = v + 1", "def f(v):\n    v.append(1)\nf([])", True),
    ("v = [3, 1]", "n = v[0]", "def f():\n    v = []\n    v.append(1)\n    return v\nf()", True),
    ("v = 'abc'", "n = len(v)", "w = v.replace('a', 'b')\nw = w.strip()", True),
    ("v = [3, 1]", "n = v[0]", "del v\nv = [1]\nv.append(2)", True),
)

G = "import pandas as pd\nt = pd.DataFrame({'a': [3, 1, 2], 'b': [4.0, 5.0, 6.0], 'c': [1, 1, 2]})"
# (set up, the cell that is run twice); the run says what it does
RERUN = (
    (G, "t = t.drop(columns=['a'])"),
    (G, "t = t.drop('a', axis=1)"),
    (G, "t = t.drop(columns='a', errors='ignore')"),
    (G, "t = t.rename(columns={'a': 'A'})"),
    (G, "t = t.rename(columns=str.upper)"),
    (G, "t = t.rename(columns=lambda c: c + '_x')"),
    (G, "t = t.add_prefix('p_')"),
    (G, "t = t.set_index('c')"),
    (G, "t = t.reset_index()"),
    (G, "t = t.reset_index(drop=True)"),
    (G, "t = t.dropna()"),
    (G, "t = t.iloc[1:]"),
    (G, "t = t.iloc[:2]"),
    (G, "t = t.head(2)"),
    (G, "t = t[t['a'] > 1]"),
    (G, "t = t.query('a > 1')"),
    (G, "t = pd.get_dummies(t, columns=['c'])"),
    (G, "t = pd.concat([t, t])"),
    (G, "t = t.melt()"),
    (G, "t = t.T"),
    (G, "t = t.sort_values('a')"),
    (G, "t = t.drop_duplicates('c')"),
    (G, "t = t.fillna(0)"),
    (G, "t = t.astype(float)"),
    (G, "t = t.assign(d=t['a'] + 1)"),
    (G, "t = t.assign(a=t['a'] + 1)"),
    (G, "t = t.merge(t[['a']], on='a')"),
    (G, "t = t.shift(1)"),
    (G, "t = t.clip(0, 2)"),
    (G, "t = t.abs()"),
    (G, "t = t.round(1)"),
    (G, "t['a'] = t['a'] * 2"),
    (G, "t['a'] = t['a'].astype(str)"),
    (G, "t['a'] = t['a'].astype(str).str.cat(['x'] * 3)"),
    (G, "t['a'] = t['a'].map({3: 'x', 1: 'y', 2: 'z'})"),
    (G, "t['a'] = t['a'].replace({3: 30})"),
    (G, "t['a'] = t['a'].replace({1: 2, 2: 3})"),
    (G, "t['d'] = t['a'] * 2"),
    (G, "t['b'] -= t['b'].mean()"),
    (G, "t['b'] /= 2"),
    (G, "t.loc[len(t)] = [1, 2, 3]"),
    (G, "t.loc[t['a'] > 1, 'a'] = 0"),
    (G, "t.loc[:, 'b'] = t['b'] + 1"),
    (G, "t.pop('a')"),
    (G, "del t['a']"),
    (G, "t.insert(0, 'z', 1)"),
    (G, "t.drop(columns='a', inplace=True)"),
    (G, "t.rename(columns={'a': 'A'}, inplace=True)"),
    (G, "t.columns = [c + '_' for c in t.columns]"),
    (G, "t.columns = ['x', 'y', 'z']"),
    (G, "t.columns = t.columns.str.upper()"),
    ("import numpy as np\nv = np.arange(4.0)", "v = v[1:]"),
    ("import numpy as np\nv = np.arange(4.0)", "v = np.append(v, 1)"),
    ("import numpy as np\nv = np.arange(4.0)", "v = np.log1p(v)"),
    ("import numpy as np\nv = np.arange(4.0)", "v = v.reshape(-1, 1)"),
    ("import numpy as np\nv = np.arange(4.0)", "v = v.reshape(2, 2)"),
    ("import numpy as np\nv = np.arange(4.0)", "v = np.sort(v)"),
    ("import numpy as np\nv = np.arange(4.0)", "v = v[::-1]"),
    ("import numpy as np\nv = np.arange(4.0)", "v = np.expand_dims(v, 0)"),
    ("v = [1, 2, 3]", "x = v.pop()"),
    ("v = [1, 2, 3]", "v.remove(2)"),
    ("v = [1, 2, 3]", "v.reverse()"),
    ("v = [1, 3, 2]", "v.sort()"),
    ("v = [1, 2, 3]", "v *= 2"),
    ("v = [1, 2, 3]", "v = [0] + v"),
    ("v = [1, 2, 3]", "v = [x + 1 for x in v]"),
    ("v = [1, 2, 3]", "v = list(v)"),
    ("v = [1, 2, 3]", "v = v[1:]"),
    ("v = [1, 2, 3]", "v = sorted(set(v))"),
    ("v = {'a': 1}", "v.update(b=2)"),
    ("v = {'a': 1}", "x = v.pop('a')"),
    ("v = {'a': 1}", "v['a'] += 1"),
    ("v = {'a': 1}", "v = {k: n * 2 for k, n in v.items()}"),
    ("v = {'a': 1}", "v = dict(sorted(v.items()))"),
    ("v = {'a': 1}", "v = {**v, 'b': 2}"),
    ("v = {1, 2}", "v.add(3)"),
    ("v = {1, 2}", "v.remove(1)"),
    ("v = {1, 2}", "v.discard(1)"),
    ("v = 'Text '", "v = v.strip().lower()"),
    ("v = 'Text '", "v = v + '!'"),
    ("v = 'Text '", "v = v.split()"),
    ("v = 'Text '", "v = f'{v}x'"),
    ("v = 3", "v = max(v, 5)"),
    ("v = 3", "v = -v"),
    ("v = 3", "v **= 2"),
    ("v = 3", "v = int(v)"),
    ("v = 3", "v = str(v)"),
    ("v = 3", "v, w = v + 1, v"),
    ("v, w = 1, 2", "v, w = w, v"),
    ("v = 3", "for i in range(3):\n    v += i"),
    ("v = 3", "v = 0\nfor i in range(3):\n    v += i"),
    ("v = [1]", "v = []\nv.append(3)"),
    ("v = iter([1, 2, 3])", "x = next(v)"),
    ("v = (n for n in range(5))", "x = sum(v)"),
    ("n = 0\ndef tick():\n    global n\n    n += 1\n    return n", "x = tick()"),
    ("log = []\ndef note(m):\n    log.append(m)", "note('a')"),
    ("class C:\n    k = 0", "C.k += 1"),
    (
        "class C:\n    def __init__(self):\n        self.k = 0\n    def up(self):\n        self.k += 1\nc = C()",
        "c.up()",
    ),
    ("from collections import Counter\nc = Counter()", "c.update('abc')"),
    ("from collections import deque\nd = deque([1, 2], maxlen=5)", "d.appendleft(0)"),
    ("v = None", "if v is None:\n    v = 3"),
    ("v = [1]", "if 2 not in v:\n    v.append(2)"),
)
