"""The stand-in for splunkd: HEC and the management port, on files in one HOME folder."""
