"""Carries: the protocol cores over sockets, HTTP and tasks."""
