"""The lesson: every step from a look at the data to a trained network, printed and plotted.

Its sentences are in ``texts/``, one catalogue per language.
"""

from fastmlp.lesson.catalogue import languages
from fastmlp.lesson.course import finite_differences, run
from fastmlp.lesson.notebook import write_notebook

__all__ = ["finite_differences", "languages", "run", "write_notebook"]
