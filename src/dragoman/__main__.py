"""``python -m dragoman``: the command line, for a shell that does not have the script on its path.

It knows nothing but where the command line is.
"""

from dragoman.cli import main

if __name__ == "__main__":
    main()
