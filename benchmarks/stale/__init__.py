"""The linearizability run: histories and their checker, an application that writes in every way, its clients."""
