"""Fitted models for one row in plain Python and NumPy: the library's comparisons and sums, and nothing else.

nb2prod never runs them: the text of those that a project's training names goes into its `model_row.py`,
which is why they import nothing but NumPy.  Training compares them with the library's own answers on all of
its rows and keeps the library where a decision differs.  A form raises `NotQuick` for a model, `NotCovered`
for a row, that it does not treat as the library does.

Why not a converter: measured on 3,000 rows with two decimals, whose values often lie on a threshold (skl2onnx
1.20 with ONNX Runtime, treelite, tl2cgen; scikit-learn 1.9, 100 trees; microseconds of CPU for one row):

                     library  these                ONNX Runtime         tl2cgen           treelite
    RandomForest     11000    151, equal           19, off by 7e-7      89, by 3e-2 (*)   157, by 3e-2 (*)
    GradientBoosting   510     38, equal           13, off by 2e-7      86, by 7e-2       72, by 7e-2
    HistGradientB.    2250     74, equal           no conversion        68, by 2e-16      110, by 2e-16
    XGBoost            590     64, off by 6e-8     13, off by 2e-7      94, by 2e-7       84, by 1e-7
    LightGBM          1650     81, equal           29, off by 2e-7      100, equal        171, equal
    logistic regr.     380     14, equal           10, off by 3e-7      none              none

    (*) a decision changed; 274 s to compile.  The machine was busy, and "these" were measured an hour later.

ONNX Runtime is two to eight times faster for a model of trees, but rounds probabilities to 32 bits, takes no
HistGradientBoosting and brings 73 MB.  lleaves did not run with the current llvmlite.
"""
