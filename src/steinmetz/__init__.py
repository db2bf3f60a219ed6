"""SteinmetZ: an ERP whose every answer is fast, live and explained, on three parts that stand alone."""

__version__ = "0.1.0"
