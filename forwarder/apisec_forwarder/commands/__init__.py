"""Subcommands of ``apisec-forwarder``: one a module, each with HELP, configure() and run()."""
