"""The calls of a client by family; `client.py` joins them. To read one, read the room of the same name in `protocol/operations`."""
