"""The page's upload engine beside ali-oss's browser bundle and uppy, in one Chromium, on one sink that does nothing."""
