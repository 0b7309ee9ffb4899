"""Templates learned from traffic, for what the shape of one path cannot tell: /users/{username} beside /users/me.

``trie``      paths in bounded memory, mergeable; ``answers`` and ``known`` are what it keeps of responses and ids
``evidence``  what tells a word from a value; ``words`` is a vocabulary of fixed words
``decision``  the judgement on it; ``tree`` the templates that it makes, and how paths resolve
``registry``  ids of operations, history, undo
``model``     all of it, for all services: what forwarders, search commands and the inventory call
"""

from apisec.endpoints.learning.model import PathModel

__all__ = ["PathModel"]
