"""Mossaic's SDK beside its peers: the same file, the same do-nothing server, each uploader in a process of its own."""
