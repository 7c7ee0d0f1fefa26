"""The upload engine: a plan of parts, workers that send them, and a journal from which a later run goes on.

`handle.py` is the door (`Upload`), `engine.py` the workers, `resume.py` what an earlier attempt left, `finish.py` Complete.
"""
