"""WORK BESIDE REQUESTS: what the serving process does from time to time. Never in the way of a call, nor of the start."""
