"""The download engine: ranges of an object that must stay the same, received in parallel into a file beside the target.

`handle.py` is the door (`Download`), `fetch.py` receives ranges, `target.py` is where bytes go, `resume.py` what an earlier attempt left.
"""
