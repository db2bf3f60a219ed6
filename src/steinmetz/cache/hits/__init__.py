"""The short way of a hit: what a request may be answered with is remembered, by its bytes and by what matters of
it, and everything that it rests upon is checked each time. `native` does so below ASGI, `asgi` before everything
else in it."""
