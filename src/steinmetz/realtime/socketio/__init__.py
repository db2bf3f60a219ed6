"""Socket.IO protocol 5 without I/O: packets and their parser, the namespaces of one client, acknowledgements."""
