"""The command line as `python -m catdsl`."""

from catdsl.cli import program

program()
