"""``python -m terrella``."""

from terrella.cli import main

if __name__ == "__main__":
    main()
