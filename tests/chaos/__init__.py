"""Chaos: processes that are killed, servers that are wiped and restarted, providers that misbehave, and a verdict."""
