"""Pages that show a training: one HTML file each, which asks no network and computes by itself.

Python lays out text, tables and SVG; ``script/`` moves them, with the numbers that ``encode.py``
writes.
"""
