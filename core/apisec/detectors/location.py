"""Coordinates in text: pairs of decimals with four places or more, degrees, geo URIs, ISO 6709."""

from __future__ import annotations

from apisec.detectors.base import Detector, linear, whole, words
from apisec.validators.location import pair

# Four decimals are eleven metres; with fewer, and in longer lists of numbers, a pair is anything.
_LEFT = r"(?<![\w.,+-])(?<!\d, )(?<!\d )"
_RIGHT = r"(?![\w.])(?!,? ?[-+]?\d)"
_LAT, _LON = r"[-+]?[0-8]?\d\.\d{4,15}", r"[-+]?(?:1[0-7]\d|\d{1,2})\.\d{4,15}"
_ANGLE = (
    r"\d{1,3}(?:\.\d{1,12})?\s?°\s?(?:\d{1,2}(?:\.\d{1,9})?\s?['′’]\s?)?(?:\d{1,2}(?:\.\d{1,9})?\s?(?:\"|″|”|'')\s?)?"
)

DETECTORS = (
    Detector(
        "location.pair",
        "pii.location",
        linear(rf"{_LEFT}{_LAT}(?:, ?|; ?| )(?:{_LON}){_RIGHT}"),
        pair,
        gate="pair",
    ),
    Detector(
        "location.degrees",
        "pii.location",
        linear(rf"(?<![\d.]){_ANGLE}[NSns][,;]?\s{{0,2}}{_ANGLE}[EWOewo](?!\w)"),
        whole,
        literals=("°",),
    ),
    Detector(
        "location.geo",
        "pii.location",
        linear(r"\bgeo:(?P<value>[-+]?\d{1,2}(?:\.\d{1,15})?,[-+]?\d{1,3}(?:\.\d{1,15})?)(?!\d)"),
        pair,
        literals=("geo:",),
    ),
    Detector(
        "location.words",
        "pii.location",
        linear(r"(?<![\w.,+-])[-+]?\d{1,2}\.\d{1,15}(?:, ?|; ?| / ?| )[-+]?\d{1,3}\.\d{1,15}(?![\w.])"),
        pair,
        confidence="context",
        near=words("lat", "latitude", "latlng", "latlong", "lat lng", "coordinates", "coords", "location", "gps",
                   "koordinaten", "position", "standort", "seen at", "standplaats", "locatie", "ubicación", "konum",
                   "współrzędne", "localização", "posizione", "coordonnées", "coordenadas", "coordinate"),
        gate="near",
    ),
    Detector(
        "location.latitude",
        "pii.location",
        linear(r"(?<![\w.+-])[-+]?\d{1,3}\.\d{2,15}(?![\w.])"),
        whole,
        confidence="context",
        near=words("lat", "lon", "lng", "latitude", "longitude", "breitengrad", "längengrad", "latitud", "longitud"),
        gate="near",
    ),
)  # fmt: skip
