"""The decision service: answers Envoy's call-outs from patterns and from what the copy has shown."""
