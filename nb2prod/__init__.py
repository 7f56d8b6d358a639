"""nb2prod compiles a Jupyter notebook into a production machine-learning project, and checks it on data."""

__version__ = "0.1.0"
