"""One module a library: it is imported in the measured process alone, so that memory and start-up are its own."""
