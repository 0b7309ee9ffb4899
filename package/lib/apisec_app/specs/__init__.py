"""Published OpenAPI documents of services, and how traffic differs from them.

``text``        JSON and YAML from outside, within bounds
``parts``       one document made of several files
``store``       documents and their versions in the KV store
``drift``       comparisons of services, and what is new or resolved since the last one
``files``       documents from the app's own folder
``remote``      documents by URL: ``urls``, ``addresses`` (what may be connected to), ``wire`` (one exchange), ``fetch``
``readings``    when each input last read its source
``parameters``  what an input says, and its secrets
``script``      the modular input
"""
