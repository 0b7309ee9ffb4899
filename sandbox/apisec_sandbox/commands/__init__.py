"""One module per sub-command of ``apisec-sandbox``: HELP, configure(parser), run(args) -> exit code."""
