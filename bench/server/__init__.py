"""The service beside the limits of the machine it runs on, measured in the same run."""
