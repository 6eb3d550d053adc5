"""Entry point of the command line; it speaks plainly when click is missing."""

import sys

from fastmlp._extras import require


def main() -> int:
    """Run the command line with the arguments of the process; return its exit status."""
    try:
        require("click", "the command line")
    except ImportError as error:
        print(f"fastmlp: error: {error}", file=sys.stderr)
        return 2
    from fastmlp import cli

    return cli.run()


if __name__ == "__main__":
    sys.exit(main())
