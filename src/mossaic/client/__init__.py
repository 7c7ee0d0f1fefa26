"""The SDK: an OSS client built on the same operation table as the server. It imports `mossaic.protocol` and nothing else of ours."""
