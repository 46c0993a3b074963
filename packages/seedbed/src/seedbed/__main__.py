"""Lets `python -m seedbed` do what `seedbed` does."""

from seedbed.cli.main import main

if __name__ == "__main__":
    main()
