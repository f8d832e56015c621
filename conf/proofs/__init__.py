"""Proofs: the tests that sentences cite, what was seen of them, how readers see it."""
