"""OpenAPI documents (2.0, 3.0, 3.1) as far as apisec reads them.

``paths``    the path templates of a document, below its servers' base paths
``export``   what was discovered, as a document
``schemas``  schemas of fields and bodies that were discovered
``load`` ``model``   a published document: operations, parameters, bodies, credentials
``expected``         what its schemas say at a field's path
``matching``         which documented operation an operation of the traffic is
``compare`` ``messages`` ``drift``   how the traffic differs from it, graded
"""
