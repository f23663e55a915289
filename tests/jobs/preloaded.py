"""What processes that are killed in tests have loaded before they begin."""

import lightning_fabric  # noqa: F401

import catdsl.cli.run_commands
import catdsl.jobs.compress  # noqa: F401
