"""Published OpenAPI documents of services, and how traffic differs from them.

``text``    JSON and YAML from outside, within bounds
``store``   documents and their versions in the KV store
``drift``   comparisons of services, and what is new or resolved since the last one
``files``   documents from the app's own folder
``script``  the modular input
"""
