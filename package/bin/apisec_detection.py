"""Modular input ``apisec_detection``; its code is lib/apisec_app/detection/."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.detection.script import DetectionInput

if __name__ == "__main__":
    sys.exit(DetectionInput().run(sys.argv))
