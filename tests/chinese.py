"""What is English in a Chinese text."""

import re

# Names, units, formulas, what the plots say, and names of files.
_LATIN = """
Adam NumPy fastmlp float ln logit logits loss relu softmax color kB json png safetensors
accuracy class epoch points predicted test training true validation
activations boundary confusion data decision history linear matrix metrics model
"""


def english_in(text):
    """Return the words in Latin letters, outside of code, that are no names."""
    return set(re.findall(r"[A-Za-z]{2,}", re.sub(r"`.*?`", "", text))) - set(_LATIN.split())
