"""A page of reStructuredText, and what lies beside it."""

from dataclasses import dataclass, field

from dragoman.ingest.formats.page import Included, Page
from dragoman.ingest.formats.rst.convert import convert


@dataclass
class Beside:
    files: dict[str, str] = field(default_factory=dict)
    objects: dict[str, Page] = field(default_factory=dict)

    def include(self, name: str, beside: str) -> Included | None:  # noqa: ARG002 - the contract of neighbours
        return Included(name, self.files[name]) if name in self.files else None

    def describe(self, name: str, level: int) -> Page | None:  # noqa: ARG002 - the contract of neighbours
        return self.objects.get(name)


def page(text: str, beside: Beside | None = None) -> Page:
    return convert(text, "tea.rst", beside or Beside())


def written(text: str, beside: Beside | None = None) -> list[tuple[int, str]]:
    found = page(text, beside)
    texts = found.text.split("\n")
    lines = found.lines or tuple(range(1, len(texts) + 1))
    assert len(lines) == len(texts)
    return [(line, words) for line, words in zip(lines, texts, strict=True) if words]


PAGE = """\
.. _making-tea:

===
Tea
===

Boil the *water* in a
:class:`~kettle.pots.Pot`, see `the
guide <https://x.example/a>`_ and `pots`_::

    kettle.boil()
    # ``x``

Steps
-----

#. Lift the lid.

   .. code-block:: sh
      :linenos:

      ls

#. Pour.

.. warning:: It is
   hot.

   - a
   - b

+-----+-----+
| A   | B   |
+=====+=====+
| 1   | 2|3 |
+-----+-----+

===== ===
X     Y
===== ===
1     one
      more
2     two
===== ===

Pot
  What holds
  tea.

.. _pots: https://pots.example/

>>> kettle.pour()
'tea'
"""
