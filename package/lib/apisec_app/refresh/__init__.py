"""The modular input ``apisec_inventory``: the inventory, and what changed in it, window by window."""
