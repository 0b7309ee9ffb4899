"""SQL in values: a tokeniser (``tokens``) and what its tokens tell (``grammar``)."""
