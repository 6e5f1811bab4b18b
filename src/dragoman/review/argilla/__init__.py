"""The desk that is an Argilla server: what is shown there, and what people answered there.

Argilla's client library is loaded when a desk is opened.
"""

from dragoman.review.argilla.desk import ArgillaDesk

__all__ = ["ArgillaDesk"]
