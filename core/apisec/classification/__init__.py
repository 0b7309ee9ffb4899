"""What data is called: the table of classes, and the evidence that names give.

``classes``  the one table of data classes
``names``    evidence from the stems of a field's name
"""
