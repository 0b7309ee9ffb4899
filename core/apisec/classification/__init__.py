"""What data is called: the table of classes, and the evidence that names give.

``classes``  the one table of data classes
``levels``   how closely each class has to be held
``names``    evidence from the stems of a field's name
``overrides``  what a team says of its own fields
``fields``   what a field is, from traffic, name and override together (``verdict``, ``evidence``)
``handling``   what an operation handles, from its fields
"""
