"""A local stand-in for every provider, speaking their real HTTP and SMTP interfaces. Nothing in it reaches anybody.

It is a process of its own (``python -m channels.sandbox``), reached only through the base-URL settings; no code on the
way of a message imports it.
"""
