"""The parts of the benchmark of captures: load, gateways, a HEC that only keeps what it is sent."""
