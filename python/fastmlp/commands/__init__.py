"""The commands of the command line, which `fastmlp.cli` puts together."""
