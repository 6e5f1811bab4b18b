"""Answers on screen: hits and a question in, an answer with its sources out.

``answer`` finds, asks and cites; ``app`` is the page in the browser. The web framework is loaded when an app is made.
"""

from dragoman.chat.answer import Answerer, AnswerPart, Searcher, asks_model
from dragoman.chat.app import check_port, create_app, running, serve
from dragoman.chat.keyword_search import KeywordSearcher

__all__ = [
    "AnswerPart",
    "Answerer",
    "KeywordSearcher",
    "Searcher",
    "asks_model",
    "check_port",
    "create_app",
    "running",
    "serve",
]
