"""Dragoman turns a project's documentation into a chatbot that answers from it.

The embedding model under the chatbot is tuned to that documentation, and is served only if the
tuning is shown to help. Importing this package costs nothing: no model, no network, no folder.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
