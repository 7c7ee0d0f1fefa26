"""The CORS test: what a page of some origin would be answered, computed as a real preflight is."""
