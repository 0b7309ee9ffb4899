"""Config bundles: what one service's team says of it, signed, so that it can travel from DEV to PROD.

Pure: documents, canonical bytes, signatures that are only verified, differences, and the reasons to refuse.
"""
