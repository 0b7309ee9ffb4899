"""The alert action ``apisec_block``: from a detection's row to a pattern at the gateway, with its evidence."""
