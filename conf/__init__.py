"""The Sphinx extensions of this site, one module per job.

Nothing in here imports `snippets` or TensorFlow: the package is read as text.
"""
