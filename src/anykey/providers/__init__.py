"""Who sells it: the catalogue of provider kinds, one TOML row each, and the ways they want to be authenticated.

Law: adding a provider that speaks a known protocol is adding one file to `catalogue/`, and no code.
"""
