"""A view as code: what somebody looks at, written out for each client that can ask for the same numbers."""

from terrella.site.connecting.views.asking import Question, question_of
from terrella.site.connecting.views.snippets import Snippet, snippets

__all__ = ["Question", "Snippet", "question_of", "snippets"]
