"""Entry point of the command line, with a plain message if click is missing."""

import sys
from contextlib import suppress

from fastmlp._extras import require


def main() -> int:
    """Run the command line with the arguments of the process; return its exit status."""
    try:
        require("click", "the command line")
        from fastmlp import cli

        return cli.run()
    except ImportError as error:
        message, status = str(error), 2
    except KeyboardInterrupt:
        message, status = "interrupted", 130  # 128 + SIGINT, as a shell reports it
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"fastmlp: error: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
