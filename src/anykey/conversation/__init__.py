"""WHAT IS SAID: the neutral model of one exchange with a model. Pure values; standard library and msgspec only."""
