"""The command `retina-triage`: a file a subcommand."""
