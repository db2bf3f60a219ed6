"""Kept answers below ASGI: what can be decided of a raw request without knowing the server it came to."""
