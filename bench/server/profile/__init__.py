"""Where the time of a request goes: stacks sampled inside the server, told apart by floor."""
