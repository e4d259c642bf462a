"""HOW A CLIENT IS POINTED AT US: one recipe for each client program, and who a request came from."""
