"""Analyses of a program: types, data flow, effects, names, and the cut into stages.  They judge nothing."""
