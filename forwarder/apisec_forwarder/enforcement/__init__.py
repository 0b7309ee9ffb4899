"""Enforcement at Envoy: what the gateway holds itself (RBAC), and which requests it asks about (ext_authz)."""
