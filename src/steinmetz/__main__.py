"""``python -m steinmetz`` is the command ``steinmetz``."""

from steinmetz.cli.main import run

if __name__ == "__main__":
    run()
