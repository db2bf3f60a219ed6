"""The command ``steinmetz``; heavy things are imported inside each command."""
