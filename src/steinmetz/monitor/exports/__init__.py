"""Carries: figures out, to Prometheus and OpenTelemetry. Nothing here costs anything per query."""
