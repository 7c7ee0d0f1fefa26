"""The callback inspector: what was sent for uploads to a bucket, what came back, and sending it again."""
