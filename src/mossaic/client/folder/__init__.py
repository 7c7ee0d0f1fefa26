"""Whole folders, either way: what is there on both sides, compared as it is listed, and moved by several jobs at once.

`walk.py` and the listing give both sides in the order of keys, `merge.py` brings them together, `batch.py` does what is to be done.
Nothing holds a list of all files.
"""
