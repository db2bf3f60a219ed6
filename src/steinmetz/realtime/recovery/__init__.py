"""Connection state recovery: who keeps what may have to be said again, and the sessions of those who are away."""
