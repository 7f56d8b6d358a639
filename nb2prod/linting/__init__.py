"""The parts of `nb2prod lint`: what is read, what is chosen, how it is printed, mended and remembered.

`nb2prod/lint.py` puts them together.
"""
