"""Cells that look odd and are legal, and cells with a fault each; one a line, however long."""
# ruff: noqa: E501

LEGAL = (
    "import sys\nif sys.version_info > (3,):\n    nb_text = str\nelse:\n    nb_text = unicode\nnb_text(1)",
    "try:\n    import nb_none as nb_lib\nexcept ImportError:\n    nb_lib = None\nprint(nb_lib)",
    "try:\n    nb_old\nexcept NameError:\n    nb_old = 1\nprint(nb_old)",
    "nb_a = 1\ndel nb_a\nnb_a = 2\nprint(nb_a)",
    "nb_rows = [1, 2, 3]\nif any((nb_hit := row) > 2 for row in nb_rows):\n    print(nb_hit)",
    "def nb_outer():\n    return nb_later + 1\nnb_later = 1\nnb_outer()",
    "from math import *\nprint(sqrt(pi))",
    "from os.path import *\nprint(join('a', 'b'))",
    "%%capture nb_out\nprint(1)\n\n# %%\nnb_out.stdout",
    "%time nb_t = sum(range(5))\nprint(nb_t)",
    "nb_files = !echo a\nprint(nb_files)",
    "%%time\nnb_u = 3\n# %%\nnb_u + 1",
    "class NbC:\n    a = 1\n    b = a + 1\n    c = [x for x in range(b)]\n    def f(self):\n        return __class__.__name__ + super().__repr__()\nNbC().f()",
    "match {'k': [1, 2, 3], 'o': 5}:\n    case {'k': [nb_h, *nb_r], **nb_o}:\n        print(nb_h, nb_r, nb_o)",
    "match (1, 2):\n    case (nb_x, nb_y) if nb_x < nb_y:\n        print(nb_x)\n    case _:\n        pass",
    "nb_f = lambda a, *b, c=1, **d: (a, b, c, d)\nnb_f(1)",
    "for nb_i in range(3):\n    pass\nprint(nb_i)",
    "with open('/dev/null') as nb_file, open('/dev/null') as nb_g:\n    nb_read = nb_file.read() + nb_g.read()\nprint(nb_read)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as nb_e:\n    print(nb_e)\nnb_e = 1\nprint(nb_e)",
    "def nb_count():\n    global nb_n\n    nb_n = 1\nnb_count()\nprint(nb_n)",
    "def nb_o():\n    v = 1\n    def inner():\n        nonlocal v\n        v += 1\n        return v\n    return inner\nnb_o()()",
    "nb_m = [[i * j for j in range(i)] for i in range(3)]\nprint(nb_m)",
    "for _ in range(2):\n    print(_)",
    "nb_1, _ = (1, 2)\nprint(_)",
    "globals()['nb_dyn'] = 1\nprint(nb_dyn)",
    "exec('nb_ex = 1')\nprint(nb_ex)",
    "if 'nb_flag' not in globals():\n    nb_flag = True\nprint(nb_flag)",
    "def nb_gen():\n    yield from (nb_q for nb_q in range(3))\nlist(nb_gen())",
    "def nb_rec(n):\n    return 1 if n < 1 else nb_rec(n - 1)\nnb_rec(3)",
    "def nb_even(n):\n    return n == 0 or nb_odd(n - 1)\ndef nb_odd(n):\n    return n != 0 and nb_even(n - 1)\nnb_even(4)",
    "import os.path\nprint(os.path.join('a', 'b'), os.sep)",
    "print(f'{(lambda q: q)(1)!r:>{5}}')",
    "print([nb_w for nb_v in [[1], [2]] for nb_w in nb_v if nb_w])",
    "def nb_ann(a: 'int', b: \"list[int]\" = []) -> 'NbLater':\n    x: 'Unknown' = 1\n    return x\nnb_ann(1)",
    "nb_d = {}\nnb_d['a'] = nb_d.get('a', 0) + 1\nnb_p, *nb_rest = [1, 2, 3]\nprint(nb_rest)",
    "async def nb_co():\n    return [x async for x in nb_agen()]\nasync def nb_agen():\n    yield 1\nawait nb_co()",
    "    nb_ind = 1\n    print(nb_ind)",
    "print(__name__, __doc__, get_ipython)\ndisplay(1)",
    "while True:\n    nb_wh = 1\n    break\nprint(nb_wh)",
    "try:\n    nb_try = 1\nfinally:\n    print('done')\nprint(nb_try)",
    "try:\n    nb_else = int('1')\nexcept ValueError:\n    raise\nelse:\n    nb_res = nb_else\nprint(nb_res)",
    "import contextlib\nwith contextlib.suppress(NameError):\n    nb_missing_name\nprint(1)",
    "def nb_kw(*, key):\n    return key\nnb_kw(key=1)",
    "class NbBase:\n    x = 1\nclass NbSub(NbBase):\n    y = NbBase.x\n    z: int = y\nNbSub.z",
    "nb_sorted = sorted([(1, 'b'), (0, 'a')], key=lambda nb_pair: nb_pair[0])\nprint(nb_sorted)",
    "assert (nb_as := 3) == 3\nprint(nb_as)",
    "import importlib\nnb_mod = importlib.import_module('json')\nnb_mod.dumps(1)",
    "%matplotlib inline\nnb_after = 1\nprint(nb_after)",
    "!echo hello {1 + 1}\nnb_shell = 2\nprint(nb_shell)",
    "print?\nnb_help = 1\nprint(nb_help)",
    "nb_x1 = nb_y1 = 0\nnb_x1, nb_y1 = nb_y1, nb_x1\nprint(nb_x1)",
    "def nb_dec(f):\n    return f\n@nb_dec\ndef nb_decorated():\n    return nb_decorated.__name__\nnb_decorated()",
    "if True:\n    nb_cond = 1\nprint(nb_cond)",
    "import datetime as nb_dt, json as nb_json\nprint(nb_dt.date.min, nb_json.dumps(1))",
    "nb_set = {nb_s for nb_s in 'abc'}\nnb_dict = {nb_k: nb_v2 for nb_k, nb_v2 in zip('ab', [1, 2])}\nprint(len(nb_set), nb_dict)",
    "print((lambda: (yield))().__next__())",
    "def nb_t(x=(nb_default := 5)):\n    return x\nprint(nb_default)",
    "for nb_k3, (nb_l3, nb_m3) in {'a': (1, 2)}.items():\n    nb_sum3 = nb_l3 + nb_m3\nprint(nb_sum3, nb_k3)",
    "if __name__ == '__main__':\n    nb_main = 1\nprint(nb_main)",
    "del (nb_del := [1])[0]\nprint(nb_del)",
    "import builtins\nbuiltins.print(1)\nprint(__builtins__ is not None)",
    "nb_list = []\nwhile len(nb_list) < 3:\n    nb_last = len(nb_list)\n    nb_list.append(nb_last)\nprint(nb_last)",
)

# (cell, whether it is clean)
HISTORY = (
    ("nb_v = _", False),
    ("print(__)", False),
    ("nb_v = Out[1]", False),
    ("nb_v = In[0]", False),
    ("nb_v = _1", False),
    ("nb_v = _i1 + _i", False),
    ("print(len(_oh), len(_ih))", False),
    ("nb_v = [_ for x in range(3)]", False),
    ("def nb_h():\n    return Out.get(1)\nnb_h()", False),
    ("nb_v = ___", False),
    ("nb_v = _ii", False),
    ("if True:\n    nb_v = _", False),
    ("Out = {1: 2}\nprint(Out[1])", True),
    ("for _ in range(3):\n    print(_)", True),
    ("nb_v, _ = 1, 2\nprint(_)", True),
    ("from gettext import gettext as _\nprint(_('a'))", True),
    ("_1 = 3\nprint(_1)", True),
    ("print([_ for _ in range(3)], (lambda _: _)(1))", True),
    ("def nb_h(_):\n    return _ + 1\nnb_h(1)", True),
    ("In = 5\nprint(In + 1)", True),
    ("match [1, 2]:\n    case [_, nb_v]:\n        print(nb_v)", True),
)

# (setup cell, cell that is run twice); the run says whether the second time changes anything
RERUN = (
    ("nb_v = 3", "nb_v = nb_v + 1"),
    ("nb_v = 3", "nb_v += 1"),
    ("nb_v = 'a'", "nb_v = nb_v + 'b'"),
    ("nb_v = [1]", "nb_v.append(2)"),
    ("nb_v = [1]", "nb_v += [2]"),
    ("nb_v = [1]", "nb_v.extend([2, 3])"),
    ("nb_v = [1, 2, 3, 4]", "nb_v.pop()"),
    ("nb_v = [1, 2, 3, 4]", "del nb_v[0]"),
    ("nb_v = [3, 1]", "nb_v.insert(0, 5)"),
    ("nb_v = [3, 1]", "nb_v.reverse()"),
    ("nb_v = {'a': 1}", "nb_v['a'] = nb_v['a'] * 2"),
    ("nb_v = {'a': 1}", "nb_v['a'] += 2"),
    ("nb_v = {'a': 1}", "nb_v['b'] = nb_v.get('b', 0) + 1"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v['a'] = nb_v['a'] * 2"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v.a = nb_v.a - 1"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3], 'b': 1})", "nb_v = nb_v.drop(columns='b')"),
    (
        "import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3], 'b': 1})",
        "nb_v.drop(columns='b', inplace=True)",
    ),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = pd.concat([nb_v, nb_v])"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = nb_v[1:]"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = nb_v.shift(1)"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v.loc[:, 'a'] = nb_v['a'] + 1"),
    (
        "import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})",
        "nb_v['a'] = (nb_v['a'] - nb_v['a'].mean()) / nb_v['a'].max()",
    ),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = nb_v.reset_index()"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': list('xyx')})", "nb_v = pd.get_dummies(nb_v)"),
    (
        "import pandas as pd\nnb_v = pd.DataFrame({'a': ['x', 'y', 'x']})",
        "nb_v['a'] = nb_v['a'].map({'x': 1, 'y': 2})",
    ),
    ("import numpy as np\nnb_v = np.arange(3)", "nb_v = nb_v[1:]"),
    ("import numpy as np\nnb_v = np.arange(3.0)", "nb_v *= 2"),
    ("import numpy as np\nnb_v = np.arange(3.0) + 1", "nb_v = np.log1p(nb_v)"),
    ("import numpy as np\nnb_v = np.arange(3.0)", "nb_v[0] += 1"),
    ("nb_v = 0\nnb_rows = [1, 2]", "for nb_row in nb_rows:\n    nb_v += nb_row"),
    ("nb_v = [1]", "def nb_grow(rows):\n    rows.append(1)\nnb_grow(nb_v)"),
    ("nb_v = [1]", "nb_w = nb_v\nnb_w.append(2)"),
    ("nb_v = 1\ndef nb_step():\n    global nb_v\n    nb_v += 1", "nb_step()"),
    ("nb_v = (1, 2)", "nb_v = nb_v + (3,)"),
    ("nb_v = 1\nnb_w = 2", "nb_v, nb_w = nb_w, nb_v"),
    ("class NbK:\n    n = 0\nnb_v = NbK()", "nb_v.n += 1"),
    ("nb_v = iter(range(9))", "nb_w = next(nb_v)"),
    ("nb_v = {'a': 1, 'b': 2}", "nb_v = {k: x + 1 for k, x in nb_v.items()}"),
    ("nb_v = [3, 4]", "nb_v = [x + 1 for x in nb_v]"),
    ("nb_v = [3, 4]", "nb_v[0] = nb_v[0] + nb_v[1]"),
    # a second run changes nothing
    ("nb_v = 3", "nb_w = nb_v + 1"),
    ("nb_v = [1]", "nb_v = []\nnb_v.append(2)"),
    ("nb_v = [3, 1]", "nb_v = sorted(nb_v)"),
    ("nb_v = [3, 1]", "nb_v.sort()"),
    ("nb_v = {1}", "nb_v.add(2)"),
    ("nb_v = {'a': 1}", "nb_v.update(b=2)"),
    ("nb_v = {'a': 1}", "nb_v['b'] = 3"),
    ("nb_v = {'a': 1}", "nb_v['b'] = nb_v['a'] + 1"),
    ("nb_v = 'Ab '", "nb_v = nb_v.strip().lower()"),
    ("nb_v = -3", "nb_v = abs(nb_v)"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, None, 3]})", "nb_v = nb_v.dropna()"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, None, 3]})", "nb_v['a'] = nb_v['a'].fillna(0)"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v['b'] = nb_v['a'] * 2"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = nb_v[nb_v['a'] > 1]"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': ['1', '2']})", "nb_v['a'] = pd.to_numeric(nb_v['a'])"),
    ("import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3]})", "nb_v = nb_v.rename(columns={'a': 'z'})"),
    (
        "import pandas as pd\nnb_v = pd.DataFrame({'a': [2, 1]})",
        "nb_v = nb_v.sort_values('a').reset_index(drop=True)",
    ),
    (
        "import pandas as pd\nnb_v = pd.DataFrame({'a': ['x', 'y']})",
        "nb_v['a'] = nb_v['a'].astype('category')",
    ),
    ("import numpy as np\nnb_v = np.arange(4)", "nb_v = np.clip(nb_v, 0, 2)"),
    ("import numpy as np\nnb_v = np.arange(4)", "nb_v[0] = 9"),
    ("nb_v = [1, 2]", "nb_w = list(nb_v)\nnb_w.append(3)"),
    ("nb_v = [1, 2]", "nb_v = [x for x in nb_v if x > 1]"),
    ("nb_v = 1", "def nb_g(nb_v):\n    nb_v += 1\n    return nb_v\nnb_u = nb_g(nb_v)"),
    ("nb_v = 5", "nb_v = max(nb_v, 7)"),
    ("nb_v = None", "nb_v = nb_v or 4"),
    ("nb_v = 2", "nb_v = 2\nnb_v = nb_v * 3"),
)

FRAME = "import pandas as pd\nnb_v = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6]})"
# (setup, reader, change, whether it is clean)
LATE = (
    ("nb_v = [1, 2]", "nb_total = sum(nb_v)", "nb_v.append(3)", False),
    ("nb_v = [1, 2]", "nb_total = sum(nb_v)", "nb_v += [3]", False),
    ("nb_v = [2, 1]", "nb_first = nb_v[0]", "nb_v.sort()", False),
    ("nb_v = [2, 1]", "nb_first = nb_v[0]", "nb_w = nb_v\nnb_w.insert(0, 7)", False),
    ("nb_v = [2, 1]\nnb_w = nb_v", "nb_total = sum(nb_v)", "nb_w.append(7)", False),
    ("nb_v = {'a': 1}", "nb_n = len(nb_v)", "nb_v['b'] = 2", False),
    ("nb_v = {'a': 1}", "nb_n = nb_v['a'] * 2", "nb_v['a'] = 2", False),
    ("nb_v = {'a': 1}", "nb_n = list(nb_v)", "nb_v.update(b=2)", False),
    ("nb_v = {'a': 1}", "nb_n = list(nb_v)", "nb_v.clear()", False),
    ("nb_v = [1, 2]\ndef nb_grow(rows):\n    rows.append(1)", "nb_total = sum(nb_v)", "nb_grow(nb_v)", False),
    ("nb_v = [1, 2]\ndef nb_grow():\n    nb_v.append(1)", "nb_total = sum(nb_v)", "nb_grow()", False),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_v['a'] = nb_v['a'] * 10", False),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_v.loc[0, 'a'] = 99", False),
    (FRAME, "nb_mean = nb_v.mean()", "nb_v.drop(columns='b', inplace=True)", False),
    (FRAME, "nb_mean = nb_v.sum().sum()", "nb_v.iloc[0, 0] = 50", False),
    (FRAME, "nb_mean = nb_v.a.sum()", "nb_w = nb_v\nnb_w['a'] = 0", False),
    (
        FRAME + "\ndef nb_clean(frame):\n    frame['a'] = 0\n    return frame",
        "nb_mean = nb_v['a'].mean()",
        "nb_u = nb_clean(nb_v)",
        False,
    ),
    (FRAME, "nb_x = nb_v[['a']].to_numpy().sum()", "nb_v.rename(columns={'a': 'z'}, inplace=True)", False),
    (FRAME, "nb_x = nb_v.shape", "del nb_v['b']", False),
    (FRAME, "nb_x = nb_v.shape", "nb_v.pop('b')", False),
    (FRAME, "nb_x = nb_v['a'].max()", "nb_v['a'] += 1", False),
    (FRAME, "nb_x = nb_v['a'].max()", "nb_v.at[0, 'a'] = 70", False),
    (FRAME, "nb_x = nb_v.values.max()", "nb_v.fillna(0, inplace=True)\nnb_v.insert(0, 'c', 9)", False),
    ("import numpy as np\nnb_v = np.arange(4.0)", "nb_m = nb_v.mean()", "nb_v[0] = 100", False),
    ("import numpy as np\nnb_v = np.arange(4.0)", "nb_m = nb_v.mean()", "nb_v *= 2", False),
    (
        "import numpy as np\nnb_v = np.arange(4.0)",
        "nb_m = nb_v.mean()",
        "nb_w = nb_v[1:]\nnb_w[0] = 9",
        False,
    ),
    ("import numpy as np\nnb_v = np.arange(4.0)", "nb_m = nb_v.mean()", "nb_v.fill(1)", False),
    ("import numpy as np\nnb_v = np.arange(4.0)", "nb_m = nb_v.mean()", "np.negative(nb_v, out=nb_v)", False),
    ("class NbS:\n    n = 1\nnb_v = NbS()", "nb_m = nb_v.n + 1", "nb_v.n = 5", False),
    (
        "class NbS:\n    def __init__(self):\n        self.n = 1\n    def grow(self):\n        self.n += 1\nnb_v = NbS()",
        "nb_m = nb_v.n + 1",
        "nb_v.grow()",
        False,
    ),
    ("nb_v = {'rows': [1]}", "nb_m = len(nb_v['rows'])", "nb_v['rows'].append(2)", False),
    (
        "from sklearn.linear_model import LinearRegression\nnb_v = LinearRegression().fit([[1], [2]], [1, 2])",
        "nb_m = nb_v.predict([[3]])",
        "nb_v.fit([[1], [2]], [5, 1])",
        False,
    ),
    # nothing that was read changes
    ("nb_v = [1, 2]", "nb_total = sum(nb_v)", "nb_w = list(nb_v)\nnb_w.append(3)", True),
    ("nb_v = [1, 2]", "nb_total = sum(nb_v)", "nb_v = nb_v + [3]", True),
    ("nb_v = [1, 2]", "nb_total = 3", "nb_v.append(3)", True),
    ("nb_v = [1, 2]", "nb_total = sum(nb_v)", "nb_v = []\nnb_v.append(3)", True),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_w = nb_v.copy()\nnb_w['a'] = 0", True),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_v['c'] = nb_v['a'] * 2", True),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_w = nb_v.drop(columns='b')\nnb_w['a'] = 1", True),
    (FRAME, "nb_mean = nb_v['a'].mean()", "nb_w = nb_v.sort_values('a')", True),
    (FRAME + "\nnb_v['c'] = 3", "nb_mean = nb_v['a'].mean()", "nb_w = nb_v.assign(a=1)", True),
    (FRAME, "nb_v.head()", "nb_v['c'] = nb_v['a'] * 2", True),
    ("import numpy as np\nnb_v = np.arange(4.0)", "nb_m = nb_v.mean()", "nb_w = nb_v * 2\nnb_w[0] = 5", True),
    ("nb_v = {'a': 1}", "nb_n = nb_v['a']", "nb_u = {**nb_v, 'b': 2}\nnb_u['a'] = 3", True),
    (
        "nb_v = [1, 2]\ndef nb_grown(rows):\n    rows = rows + [1]\n    rows.append(2)\n    return rows",
        "nb_total = sum(nb_v)",
        "nb_w = nb_grown(nb_v)",
        True,
    ),
    ("nb_v = 'abc'", "nb_n = len(nb_v)", "nb_v += 'd'", True),
    ("nb_v = 3", "nb_n = nb_v * 2", "nb_v += 1", True),
)

SPLIT = "from sklearn.model_selection import train_test_split\n"
# (notebook, whether it is clean)
RANDOM = (
    ("import random\nx = random.random()", False),
    ("import random\nx = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nrandom.shuffle(x)", False),
    ("from random import choice, sample\nx = sample(range(1000), 5)", False),
    ("import numpy as np\nx = np.random.rand(3)", False),
    ("import numpy as np\nrng = np.random.default_rng()\nx = rng.normal()", False),
    ("import numpy as np\nfrom numpy.random import randint\nx = randint(0, 10000, 5)", False),
    ("import numpy as np\nrs = np.random.RandomState()\nx = rs.rand()", False),
    ("import numpy as np\nx = np.random.permutation(50)", False),
    ("import pandas as pd\ndf = pd.DataFrame({'a': range(100)})\nx = df.sample(5)", False),
    ("import pandas as pd\ndf = pd.DataFrame({'a': range(100)})\nx = df['a'].sample(frac=0.5)", False),
    (SPLIT + "X = list(range(100))\nx, y = train_test_split(X, test_size=0.3)", False),
    (
        "from sklearn.ensemble import RandomForestClassifier\nimport numpy as np\nX = np.arange(200).reshape(100, 2) % 17\ny = np.arange(100) % 3\nm = RandomForestClassifier(n_estimators=3).fit(X, y)\nx = m.predict_proba(X)",
        False,
    ),
    (
        "from sklearn.cluster import KMeans\nimport numpy as np\nX = np.arange(300.0).reshape(100, 3) % 13\nx = KMeans(5, n_init=1, init='random').fit(X).labels_",
        False,
    ),
    ("import uuid\nx = str(uuid.uuid4())", False),
    ("from uuid import uuid1\nx = uuid1().hex", False),
    ("import os\nx = os.urandom(4)", False),
    ("import secrets\nx = secrets.token_hex(4)", False),
    ("import time\nstamp = time.time()", False),
    ("from datetime import datetime\nnow = datetime.now()", False),
    ("import datetime\nnow = datetime.datetime.utcnow().isoformat()", False),
    ("import pandas as pd\nnow = pd.Timestamp.now()", False),
    ("import pandas as pd\nnow = pd.to_datetime('now')", False),
    ("names = {'ann', 'bob', 'cem', 'dan', 'eve'}\nrows = list(names)", False),
    ("rows = [w for w in set('the quick brown fox jumps'.split())]", False),
    ("rows = []\nfor w in {'ann', 'bob', 'cem', 'dan', 'eve'}:\n    rows.append(w)", False),
    (
        "text = 'the quick brown fox jumps over'\nvocabulary = {w: i for i, w in enumerate(set(text.split()))}",
        False,
    ),
    ("names = frozenset(['ann', 'bob', 'cem', 'dan'])\nline = ','.join(names)", False),
    ("a = {'ann', 'bob', 'cem', 'dan', 'eve'}\nfirst = a.pop()", False),
    ("a = {'ann', 'bob', 'cem', 'dan', 'eve'}\nb = {'x', 'yy'}\nfirst, *rest = a | b", False),
    ("a = hash('text')", False),
    ("x = id(object())", False),
    ("import numpy as np\nnp.random.seed()\nx = np.random.rand()", False),
    ("import random\nrandom.seed()\nx = random.random()", False),
    ("import random\nr = random.Random()\nx = r.random()", False),
    ("import numpy as np\ndef noisy(v):\n    return v + np.random.normal()\n# %%\nx = noisy(1)", False),
    ("import numpy as np\nx = np.random.rand(2)\n# %%\nnp.random.seed(0)", False),
    ("import tempfile\nx = tempfile.mkdtemp()", False),
    ("import os\nx = os.getpid()", False),
    (
        "from sklearn.model_selection import KFold\nimport numpy as np\nx = [t.tolist() for t, _ in KFold(3, shuffle=True).split(np.arange(60))]",
        False,
    ),
    ("from sklearn.utils import shuffle\nx = shuffle(list(range(90)))", False),
    ("from sklearn.datasets import make_classification\nX, y = make_classification(50)", False),
    # the same each time
    ("import random\nrandom.seed(1)\nx = random.random()", True),
    ("import numpy as np\nnp.random.seed(1)\nx = np.random.rand(3)", True),
    ("import numpy as np\nrng = np.random.default_rng(1)\nx = rng.normal()", True),
    ("import numpy as np\nSEED = 5\nrng = np.random.default_rng(SEED)\nx = rng.normal()", True),
    ("import numpy as np\nrng = np.random.default_rng(seed=1)\nx = rng.shuffle([1, 2])", True),
    ("import numpy as np\nrs = np.random.RandomState(1)\nx = rs.rand()", True),
    ("import random\nr = random.Random(3)\nx = r.random()", True),
    (
        "import numpy as np\nfrom sklearn.cluster import KMeans\nnp.random.seed(3)\nx = KMeans(2, n_init=1).fit(np.arange(20.0).reshape(10, 2)).labels_",
        True,
    ),
    ("import pandas as pd\ndf = pd.DataFrame({'a': range(100)})\nx = df.sample(5, random_state=0)", True),
    (SPLIT + "x, y = train_test_split(list(range(100)), random_state=1)", True),
    (SPLIT + "seed = 3\nx, y = train_test_split(list(range(100)), random_state=seed)", True),
    (SPLIT + "x, y = train_test_split(list(range(100)), shuffle=False)", True),
    (
        "from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(n_estimators=3, random_state=0)",
        True,
    ),
    ("from sklearn.linear_model import LogisticRegression\nm = LogisticRegression()", True),
    (
        "from sklearn.model_selection import KFold\nimport numpy as np\nx = [t.tolist() for t, _ in KFold(3).split(np.arange(60))]",
        True,
    ),
    ("names = {'ann', 'bob', 'cem'}\nrows = sorted(names)", True),
    ("names = {'ann', 'bob', 'cem'}\nn = len(names)\nok = 'ann' in names", True),
    ("names = {'ann', 'bob', 'cem'}\nlongest = max(names)\ntotal = sum(len(n) for n in names)", True),
    ("names = {'ann': 1, 'bob': 2}\nrows = list(names)", True),
    ("numbers = {1, 2}\nmore = numbers | {3}\nsame = more == {1, 2, 3}", True),
    ("names = {'ann', 'bob'}\nfor name in sorted(names):\n    print(name)", True),
    ("import uuid\nx = uuid.uuid5(uuid.NAMESPACE_DNS, 'a')", True),
    ("import datetime\nx = datetime.date(2024, 1, 1)", True),
    ("import pandas as pd\nx = pd.to_datetime('2024-01-01')", True),
    ("import hashlib\nx = hashlib.sha1(b'a').hexdigest()", True),
    ("class Rng:\n    def random(self):\n        return 4\nrandom = Rng()\nx = random.random()", True),
    ("def sample(n):\n    return n\nx = sample(3)", True),
    ("rows = [x for x in {1: 2, 3: 4}]", True),
    ("d = {k: 1 for k in {'a', 'b'}}\nn = len(d)", True),
    (
        "from sklearn.datasets import make_classification\nX, y = make_classification(50, random_state=2)",
        True,
    ),
)

DATA = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler\n"
    "rng = np.random.default_rng(0)\n"
    "df = pd.DataFrame({'a': rng.normal(size=90), 'b': rng.normal(size=90), 'y': rng.integers(0, 2, 90)})\n"
    "X, y = df[['a', 'b']], df['y']\n# %%\n"
)
PARTS = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
FIT = "# %%\nmodel = LogisticRegression().fit(X_train, y_train)\nscore = model.score(X_test, y_test)"
LEAKAGE = (
    (DATA + "X = StandardScaler().fit_transform(X)\n" + PARTS + FIT, False),
    (DATA + "scaler = StandardScaler()\nscaler.fit(X)\nX = scaler.transform(X)\n" + PARTS + FIT, False),
    (DATA + "X = (X - X.mean()) / X.std()\n" + PARTS + FIT, False),
    (DATA + "X = X.fillna(X.median())\n" + PARTS + FIT, False),
    (DATA + "df['a'] = df['a'].fillna(df['a'].mean())\nX = df[['a', 'b']]\n" + PARTS + FIT, False),
    (
        DATA
        + "from sklearn.impute import SimpleImputer\nX = SimpleImputer().fit_transform(X)\n"
        + PARTS
        + FIT,
        False,
    ),
    (
        DATA
        + "from sklearn.feature_selection import SelectKBest\nX = SelectKBest(k=1).fit_transform(X, y)\n"
        + PARTS
        + FIT,
        False,
    ),
    (
        DATA
        + "from sklearn.decomposition import PCA\npca = PCA(1)\nX = pca.fit_transform(X)\n# %%\n"
        + PARTS
        + FIT,
        False,
    ),
    (
        DATA
        + PARTS
        + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.fit_transform(X_test)\n"
        + FIT,
        False,
    ),
    (
        DATA
        + PARTS
        + "scaler = StandardScaler().fit(X_test)\nX_train = scaler.transform(X_train)\nX_test = scaler.transform(X_test)\n"
        + FIT,
        False,
    ),
    (
        DATA
        + PARTS
        + "scaler = StandardScaler().fit(pd.concat([X_train, X_test]))\nX_train = scaler.transform(X_train)\nX_test = scaler.transform(X_test)\n"
        + FIT,
        False,
    ),
    (DATA + PARTS + "model = LogisticRegression().fit(X, y)\nscore = model.score(X_test, y_test)", False),
    (DATA + "X = df\n" + PARTS + FIT, False),
    (DATA + "X = df[['a', 'y']]\n" + PARTS + FIT, False),
    (DATA + "df['z'] = df['y'] * 2 + 1\nX = df[['a', 'z']]\n" + PARTS + FIT, False),
    (
        DATA + "df['m'] = df.groupby(df['a'] > 0)['y'].transform('mean')\nX = df[['a', 'm']]\n" + PARTS + FIT,
        False,
    ),
    (DATA + "X = pd.concat([X, X])\ny = pd.concat([y, y])\n" + PARTS + FIT, False),
    (
        DATA
        + "from sklearn.utils import resample\nboth = resample(df, n_samples=300, random_state=0)\nX, y = both[['a', 'b']], both['y']\n"
        + PARTS
        + FIT,
        False,
    ),
    (
        DATA
        + PARTS
        + "best = None\nfor c in [0.1, 1, 10]:\n    m = LogisticRegression(C=c).fit(X_train, y_train)\n    s = m.score(X_test, y_test)\n    if best is None or s > best[0]:\n        best = (s, c)\n# %%\nmodel = LogisticRegression(C=best[1]).fit(X_train, y_train)\nscore = model.score(X_test, y_test)",
        False,
    ),
    (
        DATA
        + "from sklearn.model_selection import cross_val_score\nX = StandardScaler().fit_transform(X)\nscore = cross_val_score(LogisticRegression(), X, y).mean()",
        False,
    ),
    # the model sees only what it may
    (DATA + PARTS + FIT, True),
    (
        DATA
        + PARTS
        + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)\n"
        + FIT,
        True,
    ),
    (
        DATA
        + PARTS
        + "means = X_train.mean()\nX_train = X_train.fillna(means)\nX_test = X_test.fillna(means)\n"
        + FIT,
        True,
    ),
    (
        DATA
        + PARTS
        + "from sklearn.pipeline import make_pipeline\nmodel = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)\nscore = model.score(X_test, y_test)",
        True,
    ),
    (
        DATA
        + "from sklearn.pipeline import make_pipeline\nfrom sklearn.model_selection import cross_val_score\nscore = cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), X, y).mean()",
        True,
    ),
    (DATA + "X = X.fillna(0)\nX['c'] = X['a'] * X['b']\n" + PARTS + FIT, True),
    (DATA + "X = df.drop(columns='y')\n" + PARTS + FIT, True),
    (DATA + "print(X.mean(), X.describe())\n" + PARTS + FIT, True),
    (
        DATA
        + PARTS
        + "from sklearn.utils import resample\nX_train, y_train = resample(X_train, y_train, random_state=0)\n"
        + FIT,
        True,
    ),
    (DATA + "y_mean = y.mean()\nprint(y_mean)\n" + PARTS + FIT, True),
    (
        DATA
        + PARTS
        + "from sklearn.model_selection import GridSearchCV\nsearch = GridSearchCV(LogisticRegression(), {'C': [1, 2]}).fit(X_train, y_train)\nscore = search.score(X_test, y_test)",
        True,
    ),
    (DATA + "X['a'] = X['a'].clip(-1, 1)\nX = np.log1p(X.abs())\n" + PARTS + FIT, True),
)

# A second set, written after the rules had passed the first one.
MORE_LATE = (
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "X = df[['a','b']]\ny = df['y']",
            "from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression().fit(X, y)",
            "X['pred'] = model.predict(X)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "train = df.iloc[:2]\ntest = df.iloc[2:]",
            "means = train.mean()",
            "train.loc[:, 'a'] = 0",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "total = df['a'].sum()",
            "df.sort_values('a', inplace=True)\ndf.reset_index(drop=True, inplace=True)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "summary = df.describe()",
            "df.replace(1, 100, inplace=True)",
            "print(summary)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "ratio = df['a'] / df['b']",
            "df['a'] = df['a'].clip(0, 1)",
            "out = ratio.sum()",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "rows = df.to_dict('records')",
            "n = len(rows)",
            "rows[0]['a'] = 100",
        ],
        False,
    ),
    (
        [
            "config = {'lr': 0.1, 'layers': [1, 2]}",
            "def build(c):\n    return c['lr'] * 2\nmodel = build(config)",
            "config['lr'] = 0.5",
        ],
        False,
    ),
    (
        [
            "config = {'lr': 0.1, 'layers': [1, 2]}",
            "size = len(config['layers'])",
            "layers = config['layers']\nlayers.append(3)",
        ],
        False,
    ),
    (["config = {'lr': 0.1}", "lr = config['lr']", "for key in config:\n    config[key] = 0"], False),
    (["items = [3, 1, 2]", "top = max(items)", "other = items\nother[0] = 99"], False),
    (
        [
            "items = [3, 1, 2]",
            "top = max(items)",
            "def shuffle_in_place(xs):\n    xs.reverse()\nshuffle_in_place(items)",
        ],
        False,
    ),
    (["items = [3, 1, 2]", "top = max(items)", "import random\nrandom.shuffle(items)"], False),
    (["items = [3, 1, 2]", "top = items[0]", "items[:] = [9]"], False),
    (["items = [3, 1, 2]", "top = items[0]", "items *= 2"], False),
    (["items = [[1], [2]]", "first = items[0][0]", "for item in items:\n    item.append(0)"], False),
    (["a = {1, 2}", "n = len(a)", "a |= {3}"], False),
    (["a = {1, 2}", "n = len(a)", "a.discard(1)"], False),
    (
        [
            "from collections import defaultdict\nd = defaultdict(list)\nd['x'].append(1)",
            "n = len(d['x'])",
            "d['x'].append(2)",
        ],
        False,
    ),
    (
        ["from collections import Counter\nc = Counter('abc')", "top = c.most_common(1)", "c.update('zzz')"],
        False,
    ),
    (["import numpy as np\nM = np.eye(3)", "tr = M.trace()", "M[0, 0] = 9"], False),
    (["import numpy as np\nM = np.eye(3)", "tr = M.trace()", "row = M[0]\nrow[:] = 5"], False),
    (["import numpy as np\nM = np.arange(6)", "tr = M.sum()", "M.sort()\nM[::2] = 0"], False),
    (["import numpy as np\nM = np.arange(6)", "tr = M.sum()", "N = M.reshape(2, 3)\nN[0, 0] = 7"], False),
    (["import numpy as np\nM = np.arange(6)", "tr = M.sum()", "np.random.shuffle(M)"], False),
    (
        [
            "class Box:\n    def __init__(self):\n        self.v = []\n    def add(self, x):\n        self.v.append(x)\nbox = Box()\nbox.add(1)",
            "n = len(box.v)",
            "box.add(2)",
        ],
        False,
    ),
    (["class Box:\n    v = 1\nbox = Box()", "n = box.v * 2", "setattr(box, 'v', 5)"], False),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "def scale(frame):\n    frame['a'] /= 10\n    return frame\nm = df['a'].mean()",
            "scaled = scale(df)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "for c in ['a', 'b']:\n    df[c] = df[c] * 2",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df[['a', 'b']] = df[['a', 'b']] * 2",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.loc[df.a > 1, 'a'] = 0",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.columns = ['p', 'q', 'r']",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.a = 5",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.drop(index=[0], inplace=True)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.dropna(inplace=True)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = len(df)",
            "df.loc[len(df)] = [1, 2, 3]",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "parts = [df, df.copy()]\nm = df.a.mean()",
            "for p in parts:\n    p['a'] = 0",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "d2 = df\nm = df.a.mean()",
            "d2.drop('a', axis=1, inplace=True)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df.eval('a = a * 2', inplace=True)",
        ],
        False,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df = df.assign(a=0)",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df = df.drop(columns='b')",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "d = df.copy()\nd.drop('a', axis=1, inplace=True)",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.a.mean()",
            "df['c'] = 1",
            "df['d'] = df['c'] + 1",
            "X = df[['c', 'd']]",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "y = df.pop('y')",
            "df['c'] = df['a'] + 1",
            "X = df[['c']]",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "cols = [c for c in df.columns if c != 'y']",
            "df['new'] = df['a'] + 1",
            "X = df[cols]",
        ],
        True,
    ),
    (["results = []", "results.append(1)", "results.append(2)", "print(results)"], True),
    (["results = {}", "results['a'] = 1", "results['b'] = 2", "best = max(results)"], True),
    (["x = [1]", "y = x.copy()", "y.append(2)"], True),
    (["x = [1]", "y = x[:]\nn = len(x)", "y.append(2)"], True),
    (["x = (1, 2)", "n = len(x)", "x += (3,)"], True),
    (["s = 'ab'", "n = len(s)", "s = s.replace('a', 'b')"], True),
    (
        [
            "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()",
            "ax.plot([1])",
            "ax.set_title('x')",
            "fig.clear()",
        ],
        True,
    ),
    (["n = 0", "m = n + 1", "n += 1"], True),
    (["import numpy as np\na = np.arange(3)", "m = a.mean()", "a = a * 2"], True),
    (["import numpy as np\na = np.arange(3)", "m = a.mean()", "b = a[a > 1]\nb[0] = 5"], True),
    (["import numpy as np\na = np.arange(3)", "m = a.mean()", "b = a.astype(float)\nb[0] = 5"], True),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "print(df.a.mean())",
            "df['a'] = 0",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "df.plot()",
            "df['a'] = 0",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "def f(frame):\n    frame = frame.copy()\n    frame['a'] = 0\n    return frame\nm = df.a.mean()",
            "d = f(df)",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "m = df.groupby('y')['a'].mean()",
            "df['am'] = df['y'].map(m)",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "med = df['a'].median()",
            "df['a'] = df['a'].fillna(med)",
            "X = df[['a']]",
        ],
        True,
    ),
    (
        [
            "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6], 'y': [0, 1, 0]})",
            "from sklearn.preprocessing import StandardScaler\nsc = StandardScaler()\nX = sc.fit_transform(df[['a']])",
            "Z = sc.transform(df[['a']])",
        ],
        True,
    ),
)
MORE_RANDOM = (
    ("import numpy as np\ngen = np.random.Generator(np.random.PCG64())\nx = gen.random()", False),
    ("from numpy.random import default_rng\nx = default_rng().random()", False),
    ("import numpy as np\nx = np.random.choice([1,2,3])", False),
    ("import numpy as np\ndf = np.random.randn(3)\nnp.random.shuffle(df)", False),
    ("import random as rnd\nx = rnd.randint(1, 5)", False),
    ("from random import *\nx = randint(1, 5)", False),
    ("import secrets\nx = secrets.SystemRandom().random()", False),
    ("import datetime as dt\nx = dt.datetime.now().year", False),
    ("import datetime as dt\nx = dt.date.today()", False),
    ("from datetime import date\nage = date.today().year - 1990", False),
    ("import time\nx = time.strftime('%Y')", False),
    ("import time\nname = f'run_{time.time()}'", False),
    ("import uuid\nids = [uuid.uuid4().hex for _ in range(3)]", False),
    ("s = {'b', 'a'}\nd = dict(zip(s, range(2)))", False),
    ("s = {'b', 'a'}\nx = list(map(str.upper, s))", False),
    ("s = {'b', 'a'}\nx = [*s]", False),
    ("s = {'b', 'a'}\nx = next(iter(s))", False),
    ("s = {'b', 'a'}\nx = ' '.join(s)", False),
    ("s = {'b', 'a'}\nx = tuple(s)", False),
    ("s = {'b', 'a'}\nx = str(s)", False),
    ("import numpy as np\ns = {'b', 'a'}\nx = np.array(list(s))", False),
    ("import pandas as pd\ns = {'b', 'a'}\nx = pd.Series(list(s))", False),
    ("s = set('abc')\nt = s - {'a'}\nx = list(t)", False),
    ("s = {w for w in ['b', 'a']}\nx = list(s)", False),
    ("def uniq(xs):\n    return list(set(xs))\nx = uniq(['b', 'a'])", False),
    ("import os\nx = [f for f in os.listdir('.') if f.endswith('.csv')]", False),
    ("from pathlib import Path\nx = list(Path('.').iterdir())", False),
    ("from sklearn.model_selection import StratifiedKFold\nk = StratifiedKFold(3, shuffle=True)", False),
    ("from sklearn.ensemble import GradientBoostingClassifier\nm = GradientBoostingClassifier()", False),
    ("from sklearn.neural_network import MLPClassifier\nm = MLPClassifier()", False),
    ("from sklearn.model_selection import RandomizedSearchCV\nm = RandomizedSearchCV(None, {})", False),
    ("from sklearn.tree import DecisionTreeClassifier\nm = DecisionTreeClassifier()", False),
    ("import sklearn.ensemble as e\nm = e.ExtraTreesClassifier()", False),
    ("import torch\nx = torch.rand(3)", False),
    ("import tensorflow as tf\nx = tf.random.normal((2,))", False),
    ("from scipy import stats\nx = stats.norm.rvs(size=3)", False),
    ("import numpy as np\ngen = np.random.Generator(np.random.PCG64(1))\nx = gen.random()", True),
    ("import random\nrng = random.Random(0)\nx = rng.choice([1])\nrng.shuffle([1])", True),
    ("import numpy as np\nnp.random.seed(42)\nx = np.random.choice([1,2])", True),
    (
        "import random, numpy as np\nSEED = 1\nrandom.seed(SEED)\nnp.random.seed(SEED)\nx = random.random() + np.random.rand()",
        True,
    ),
    (
        "def set_all(seed):\n    import random\n    random.seed(seed)\nset_all(3)\nimport random\nx = random.random()",
        True,
    ),
    ("import time\nt0 = time.time()\nx = 1\nprint(f'{time.time() - t0:.2f}')", True),
    ("import time\nstart = time.time()\nx = 1\nend = time.time()\nprint(end - start)", True),
    ("import time\nstart = time.time()\nelapsed = time.time() - start", True),
    ("from datetime import datetime\nstart = datetime.now()\nprint('took', datetime.now() - start)", True),
    ("import logging\nfrom datetime import datetime\nlogging.info(datetime.now())", True),
    ("import time\ntime.sleep(0)", True),
    ("s = {3, 1}\nx = sum(s)", True),
    ("s = {'b', 'a'}\nx = sorted(s)[0]", True),
    ("s = {'b', 'a'}\nx = {w: 1 for w in s}", True),
    ("s = {'b', 'a'}\nfor w in s:\n    assert len(w) == 1", True),
    ("s = {'b', 'a'}\nx = any(w == 'a' for w in s)", True),
    ("s = {'b', 'a'}\nx = set(w.upper() for w in s)", True),
    ("s = set()\nfor w in ['b', 'a']:\n    s.add(w)\nx = len(s)", True),
    ("import pandas as pd\ndf = pd.DataFrame({'a': ['x']})\nkeep = df[df['a'].isin({'x', 'y'})]", True),
    ("import os\nn = len(os.listdir('.'))", True),
    ("import os\nfor f in sorted(os.listdir('.')):\n    print(f)", True),
    ("from sklearn.svm import SVC\nm = SVC()", True),
    ("from sklearn.neighbors import KNeighborsClassifier\nm = KNeighborsClassifier()", True),
    ("from sklearn.model_selection import cross_val_score\nx = 1", True),
    ("from sklearn.tree import DecisionTreeClassifier\nm = DecisionTreeClassifier(random_state=0)", True),
    ("import torch\ntorch.manual_seed(0)\nx = torch.rand(3)", True),
    ("from scipy import stats\nx = stats.norm.rvs(size=3, random_state=0)", True),
    ("import hashlib\nx = hashlib.md5(b'a').hexdigest()\ny = hash((1, 2))", True),
    ("import os\nx = os.environ.get('A')", True),
    (
        "params = {'random_state': 0}\nfrom sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(**params)",
        True,
    ),
)
MORE_LEAKAGE = (
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nsc = MinMaxScaler()\nXs = sc.fit_transform(X)\nXtr, Xte, ytr, yte = train_test_split(Xs, y)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nX = pd.DataFrame(StandardScaler().fit_transform(X), columns=X.columns)\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nimp = SimpleImputer(strategy='mean').fit(X)\nX = imp.transform(X)\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nsel = SelectKBest(f_classif, k=5)\nX_new = sel.fit_transform(X, y)\nXtr, Xte, ytr, yte = train_test_split(X_new, y)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ntf = TfidfVectorizer()\nX = tf.fit_transform(df['text'])\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nmean = df['a'].mean()\nstd = df['a'].std()\ndf['a'] = (df['a'] - mean) / std\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf.fillna(df.mean(), inplace=True)\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['a'].fillna(df['a'].median(), inplace=True)\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nnum = ['a', 'b']\ndf[num] = StandardScaler().fit_transform(df[num])\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nfor c in ['a', 'b']:\n    df[c] = df[c].fillna(df[c].mean())\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ntrain, test = train_test_split(df)\nsc = StandardScaler().fit(df[['a']])\ntrain['a'] = sc.transform(train[['a']])\nclf = LogisticRegression().fit(train[['a']], train['y'])\nclf.score(test[['a']], test['y'])",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nsc = StandardScaler()\nXtr = sc.fit_transform(Xtr)\nXte = StandardScaler().fit_transform(Xte)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nimp = SimpleImputer()\nimp.fit(Xte)\nXte = imp.transform(Xte)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nfrom imblearn.over_sampling import SMOTE\nXr, yr = SMOTE().fit_resample(X, y)\nXtr, Xte, ytr, yte = train_test_split(Xr, yr)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nbig = pd.concat([df, df[df.y == 1]])\nX = big[['a']]\ny = big['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nminority = df[df.y == 1]\nup = minority.sample(1000, replace=True, random_state=0)\ndf2 = pd.concat([df, up])\nX = df2[['a']]\ny = df2['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nclf = LogisticRegression()\nclf.fit(X, y)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nclf = LogisticRegression().fit(Xte, yte)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ny = df['y']\nX = df[['a', 'b', 'y']]\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ny = df['y']\nX = df\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['rate'] = df['y'] / df['n']\nX = df[['rate', 'a']]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['te'] = df.groupby('city')['y'].transform('mean')\nX = df[['te', 'a']]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nenc = df.groupby('city')['y'].mean()\ndf['te'] = df['city'].map(enc)\nX = df[['te', 'a']]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['lag'] = df['y'].shift(1)\nX = df[['lag', 'a']]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nscores = {}\nfor k in [1, 3, 5]:\n    m = RandomForestClassifier(k, random_state=0).fit(Xtr, ytr)\n    scores[k] = m.score(Xte, yte)\nbest = max(scores, key=scores.get)\nfinal = RandomForestClassifier(best, random_state=0).fit(Xtr, ytr)\nprint(final.score(Xte, yte))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nX = StandardScaler().fit_transform(X)\ngs = GridSearchCV(LogisticRegression(), {'C': [1]}, cv=5)\ngs.fit(X, y)\nprint(gs.best_score_)",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXs = StandardScaler().fit_transform(X)\nfor tr, te in KFold(5).split(Xs):\n    m = LogisticRegression().fit(Xs[tr], y[tr])\n    print(m.score(Xs[te], y[te]))",
        False,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nsc = StandardScaler().fit(Xtr)\nXtr = sc.transform(Xtr)\nXte = sc.transform(Xte)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nm = Xtr['a'].mean()\nXtr['a'] = Xtr['a'].fillna(m)\nXte['a'] = Xte['a'].fillna(m)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\np = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())\np.fit(Xtr, ytr)\nprint(p.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\np = Pipeline([('s', StandardScaler()), ('m', LogisticRegression())])\nprint(cross_val_score(p, X, y).mean())",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['a'] = df['a'].fillna(0)\ndf['b'] = np.log1p(df['b'])\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['c'] = df['city'].map({'x': 0, 'y': 1})\nX = df[['c']]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['city'] = LabelEncoder().fit_transform(df['city'])\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nprint(df['a'].mean(), df['a'].median())\ndf.describe()\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nplt_mean = df['a'].mean()\nprint(plt_mean)\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\ngs = GridSearchCV(LogisticRegression(), {'C': [1]}, cv=5)\ngs.fit(Xtr, ytr)\nprint(gs.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))\n# %%\nfinal = LogisticRegression().fit(X, y)",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nfrom imblearn.over_sampling import SMOTE\nXtr, ytr = SMOTE().fit_resample(Xtr, ytr)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf = df[df['a'] < 100]\ndf = df.dropna()\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ny = df.pop('y')\nX = df\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.iloc[:, :-1]\ny = df.iloc[:, -1]\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nfeatures = [c for c in df.columns if c != 'y']\nX = df[features]\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.loc[:, df.columns != 'y']\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['total'] = df[['a', 'b']].sum(axis=1)\ndf['m'] = df[['a', 'b']].mean(axis=1)\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ny = np.log(df['y'])\nX = df.drop(columns=['y'])\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ndf['ylog'] = np.log(df['y'])\nX = df.drop(columns=['y', 'ylog'])\ny = df['ylog']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\n# %%\nclf = LogisticRegression().fit(Xtr, ytr)\nprint(clf.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\nX = df.drop('y', axis=1)\ny = df['y']\nXtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)\nmodels = {'a': LogisticRegression(), 'b': RandomForestClassifier(random_state=0)}\nfor n, m in models.items():\n    m.fit(Xtr, ytr)\n    print(n, m.score(Xte, yte))",
        True,
    ),
    (
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import *\nfrom sklearn.preprocessing import *\nfrom sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.feature_selection import SelectKBest, f_classif\nfrom sklearn.feature_extraction.text import TfidfVectorizer\ndf = pd.read_csv('a.csv')\n# %%\ntr = df[df.year < 2020]\nte = df[df.year >= 2020]\nsc = StandardScaler()\nA = sc.fit_transform(tr[['a']])\nB = sc.transform(te[['a']])\nclf = LogisticRegression().fit(A, tr['y'])",
        True,
    ),
)
MORE_LEGAL = (
    "import os\nif os.path.exists('x'):\n    p = 1\nelif os.path.exists('y'):\n    p = 2\nelse:\n    p = 3\nprint(p)",
    "try:\n    from tqdm import tqdm\nexcept ImportError:\n    def tqdm(x):\n        return x\nlist(tqdm([1]))",
    "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle\npickle.dumps(1)",
    "for i in range(3):\n    if i == 2:\n        found = i\n        break\nelse:\n    found = None\nprint(found)",
    "n = 0\nwhile n < 3:\n    last = n\n    n += 1\nprint(last)",
    "with open('/dev/null') as f:\n    try:\n        d = f.read()\n    except OSError:\n        raise\nprint(d)",
    "def f():\n    try:\n        v = 1\n    finally:\n        pass\n    return v\nf()",
    "import sys\nif 'google.colab' in sys.modules:\n    IN = True\nelse:\n    IN = False\nif IN:\n    from google.colab import drive\n    drive.mount('/x')",
    "DEBUG = False\nif DEBUG:\n    level = 1\nelse:\n    level = 2\nprint(level)",
    "x = None\nfor y in [1, 2]:\n    x = y\nprint(x, y)",
    "total = 0\nfor row in []:\n    total += row\nprint(total)",
    "results = {}\nfor k in ['a', 'b']:\n    value = k * 2\n    results[k] = value\nprint(value)",
    "if input is not None:\n    z = 1\nelse:\n    raise SystemExit\nprint(z)",
    "import sys\nif len(sys.argv) < 0:\n    sys.exit(1)\nelse:\n    ok = 1\nprint(ok)",
    "a = [i for i in range(3)]\ni = 5\nprint(i)",
    "def outer():\n    def inner():\n        return later()\n    def later():\n        return 1\n    return inner()\nouter()",
    "class A:\n    def make(self):\n        return B()\nclass B:\n    pass\nA().make()",
    "class Node:\n    children: 'list[Node]'\n    def add(self, n: 'Node') -> 'Node':\n        return n\nNode()",
    "x = 1\ndef g(x=x):\n    return x\ng()",
    "from functools import partial\nf = partial(lambda a, b: a + b, 1)\nf(2)",
    "print(*(lambda: [w for w in 'ab'])())",
    "import numpy as np, pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.query('a > @np.pi')\ndf.eval('b = a + 1')",
    "import pandas as pd\nlim = 0\ndf = pd.DataFrame({'a': [1]})\ndf.query('a > @lim')",
    "%load_ext autoreload\n%autoreload 0\nx = 1\nx",
    "%env A=1\n%config InlineBackend.figure_format = 'retina'\nprint(1)",
    "x = %timeit -o -n1 -r1 1+1\nprint(x)",
    "ls = !ls\nprint(ls.n)",
    "%%writefile /tmp/nbx.py\nfoo(bar)",
    "%%html\n<b>{x}</b>",
    "%%bash --out res\necho hi\n# %%\nprint(res)",
    "?print",
    "print??",
    "!pip install x==1 > /dev/null; echo $HOME",
    "v = 3\n!echo {v} $v",
    "%cd /tmp\n%pwd",
    "lst = [1]\nlst[0], b = 2, 3\nprint(b)",
    "d = {}\nd['k'], d['j'] = 1, 2\nprint(d)",
    "def f(*args, **kwargs):\n    return args, kwargs\nf(1)",
    "f = lambda: undefined_later\nundefined_later = 1\nf()",
    "@property\ndef p(self):\n    return self\nprint(p)",
    "async def a():\n    async with b() as c:\n        return c\nclass b:\n    async def __aenter__(self): return 1\n    async def __aexit__(self, *x): pass\nawait a()",
    "def deco(n):\n    def w(f):\n        return f\n    return w\n@deco(n=3)\ndef h(): pass\nh()",
    "x: int\nx = 1\nprint(x)",
    "def f():\n    global G\n    G = 1\nf()\nprint(G)",
    "import warnings; warnings.filterwarnings('ignore')\nprint(warnings)",
    "globals().update({'dyn': 1})\nprint(dyn)",
    "locals()['zz'] = 1\nprint(zz)",
    "from IPython.display import display, HTML\ndisplay(HTML('x'))",
    "from numpy import *\nprint(array([pi]))",
    "from pylab import *\nplot([1])",
    "def f(n):\n    if n:\n        return g(n - 1)\n    return 0\ndef g(n):\n    return f(n)\nf(3)",
    "try:\n    raise ValueError\nexcept (ValueError, TypeError) as e:\n    msg = str(e)\nelse:\n    msg = ''\nprint(msg)",
    "match [1, 2]:\n    case [a, b] | (a, b):\n        s = a + b\n    case _:\n        s = 0\nprint(s)",
    "i = 0\nif i == 0:\n    j = 1\nif i == 0:\n    print(j)",
    "x = 5 if True else y_undefined\nprint(x)",
    "print('a' if True else 'b', __file__ if '__file__' in globals() else '')",
    "import os\nfor root, dirs, files in os.walk('.'):\n    for f in files:\n        last = f\nprint('x')",
    "for epoch in range(3):\n    loss = epoch\n    if loss > 1:\n        break\nprint(loss)",
    "models = {'a': 1}\nfor name, m in models.items():\n    acc = m\nprint(name, acc)",
    "import pandas as pd\nfor name, group in pd.DataFrame({'a': [1]}).groupby('a'):\n    size = len(group)\nprint(size)",
    "files = ['a']\nfor f in files:\n    d = f\nprint(d)",
    "k = 0\nwhile True:\n    k += 1\n    if k > 2:\n        res = k\n        break\nprint(res)",
)
