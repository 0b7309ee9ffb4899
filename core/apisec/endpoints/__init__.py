"""Endpoints: how paths become templates, and the inventory of what was seen.

``templating``  /orders/1042 becomes /orders/{order_id}
``inventory``   operations, parameters, fields, classes, volumes
"""
