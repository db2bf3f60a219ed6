"""The cache as the outermost layer of an ASGI application: raw bytes, before routing."""
