"""Inputs that go forward by windows of index time: how far they came, what a window holds, and the process itself."""
