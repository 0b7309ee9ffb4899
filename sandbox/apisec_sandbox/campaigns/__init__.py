"""Weeks of ordinary API traffic with labelled attack campaigns: the material that detections are measured on."""
