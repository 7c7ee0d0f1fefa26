"""Calls of other OSS clients, answered by Mossaic's SDK: change one import and an upload is resumed, checked and fast."""
