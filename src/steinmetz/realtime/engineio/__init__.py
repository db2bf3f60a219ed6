"""Engine.IO protocol 4 without I/O: packets, payloads, handshake, session, and RFC 6455 frames to carry them."""
