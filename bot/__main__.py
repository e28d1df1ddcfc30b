"""`housestyle` and `python -m bot`."""

import sys

CANCELLED = 130


def main() -> None:
    """Run the command line; exits with the command's code."""
    try:
        from bot.cli.app import run  # here, so that Ctrl-C while it loads leaves no traceback

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = CANCELLED
    sys.exit(code)


if __name__ == "__main__":
    main()
