"""The client behind a credential; it stands with the activity rows, which are made of it."""

from __future__ import annotations

from apisec.activity.client import ClientKey, agent_family, client_of, difference, network_of

__all__ = ["ClientKey", "agent_family", "client_of", "difference", "network_of"]
