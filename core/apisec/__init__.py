"""The pure middle of apisec: everything that decides, nothing that opens, sleeps or reads a clock.

Standard library only and Python 3.9+, because the same modules run inside Splunk (staged into the app's
``lib/``), in the forwarder beside the gateway, and in the trainer.
"""

__version__ = "0.1.0"
