"""A strict subset of SPL. Whatever is unknown is an error that names it, with its position and its neighbour."""
