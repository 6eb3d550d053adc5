"""The file of a page: text, style, script and numbers in one, with no address but its own."""

import json
from html import escape
from importlib.resources import files
from typing import Any

_HERE = files("fastmlp._page")
_SCRIPTS = (
    "numbers",
    "network",
    "points",
    "plane",
    "player",
    "place",
    "units",
    "gradient",
    "start",
)
# The browser itself refuses whatever would come from elsewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def document(
    *, language: str, title: str, body: str, data: dict[str, Any], texts: dict[str, str]
) -> str:
    """Return a page.

    Parameters
    ----------
    language, title : str
        Its language, as in ``lang="en"``, and its title.
    body : str
        HTML.
    data : dict
        What the script reads.
    texts : dict of str to str
        The sentences of the language; the script gets those under ``script.``.
    """
    table = "script."
    said = {key.removeprefix(table): text for key, text in texts.items() if key.startswith(table)}
    content = json.dumps(
        {**data, "texts": said}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    content = content.replace("<", "\\u003c")  # no end tag in the text ends the element
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    scripts = ((_HERE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    script = "\n".join(scripts)
    return f"""<!DOCTYPE html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
<noscript><p class="warning">{escape(texts["player.no_script"])}</p></noscript>
</main>
<script type="application/json" id="page-data">{content}</script>
<script>
(() => {{
{script}}})();
</script>
</body>
</html>
"""
