"""A stand-in for Splunk for tests and the demo, a sample API and a traffic generator.

It imports nothing of the product: it speaks wire protocols and runs the product's commands as processes.
"""

__version__ = "0.1.0"
