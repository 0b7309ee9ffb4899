"""Config bundles at the forwarder: signing keys, the store of what is applied, and how it takes effect."""
