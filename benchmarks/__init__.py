"""What the product costs and what it gains, measured side by side; one module a question.

``python -m benchmarks`` lists them, ``python -m benchmarks NAME [--quick] [--json FILE] [--check]`` runs one.
A benchmark is a module of this folder with its question as docstring and ``run(options) -> Report``.
"""
