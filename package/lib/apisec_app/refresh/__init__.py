"""The modular input ``apisec_inventory``: inventory, flows and baselines, learned again at an interval."""
