"""The row form of what pandas, NumPy and scikit-learn do with one row: the one place that says what it means.

Each function is the row form of one operation (`table.py` names the operation).  nb2prod never runs them:
their text goes into the generated `features_row.py`, which is why they import only NumPy and pandas.

A value of a row is what a column of one row holds: np.int64, np.float64, np.bool_, text, a time, and for what
is missing np.float64("nan") in columns of numbers, NaT in those of times, None or a plain nan in all others.
A function raises `NotCovered` (or any other error) for a value that it does not treat exactly as pandas does;
the row is then answered by the pandas body.  It never guesses.
"""
