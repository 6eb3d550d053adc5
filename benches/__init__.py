"""Measurements of fastmlp's speed; README.md says how to run them and how to read them."""
