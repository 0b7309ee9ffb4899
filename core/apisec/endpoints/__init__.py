"""Endpoints: how paths become templates, and the inventory of what was seen.

``templating``  /orders/1042 becomes /orders/{order_id}
``learning``    /users/alice becomes /users/{user_id}, and /users/me stays: from traffic, with ids that stay
``inventory``   operations, parameters, fields, classes, volumes
"""
