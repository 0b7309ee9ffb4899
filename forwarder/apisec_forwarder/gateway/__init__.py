"""The gateway's side: Envoy's configuration and the script that copies traffic."""
