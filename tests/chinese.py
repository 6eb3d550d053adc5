"""What is English in a Chinese text."""

import re

from fastmlp._core import ACTIVATIONS

# Names, units, formulas, what the plots say, and names of files.
_LATIN = """
Adam JavaScript NumPy fastmlp demo float ln logit logits loss softmax color
kB html json png safetensors
accuracy class epoch points predicted test training true validation
activations boundary confusion data decision history lesson linear matrix metrics model
"""


def english_in(text):
    """Return the words in Latin letters, outside of code and braces, that are no names."""
    words = re.findall(r"[A-Za-z_]{2,}", re.sub(r"`.*?`|\{\w+\}", "", text))
    parts = {part for word in words if word not in ACTIVATIONS for part in word.split("_")}
    return parts - set(_LATIN.split())
