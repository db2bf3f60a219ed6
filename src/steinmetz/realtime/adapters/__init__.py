"""Which sockets are in which room, and how an emission reaches them."""
