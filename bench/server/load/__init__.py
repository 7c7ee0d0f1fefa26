"""A light load generator: signed requests made beforehand, sent over epoll by processes of their own."""
