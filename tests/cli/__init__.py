"""The command line as a process: its streams, its signals, and what the system refuses it."""
