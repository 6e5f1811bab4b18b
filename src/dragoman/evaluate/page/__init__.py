"""The report for people: what ``report.json`` still lacks, the page made of it, and the model's card.

In: a comparison, or the report's data as it was read from its file. Out: rows for the report, HTML, Markdown.
"""

from dragoman.evaluate.page.card import model_card
from dragoman.evaluate.page.data import by_document, wins_and_losses
from dragoman.evaluate.page.page import report_page

__all__ = ["by_document", "model_card", "report_page", "wins_and_losses"]
