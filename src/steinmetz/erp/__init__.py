"""The application: a complete ERP on the three parts. `main.create_app` is the composition root."""
