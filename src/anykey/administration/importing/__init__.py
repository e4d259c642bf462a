"""What other gateways were told, told to this one: one reader a source, one way to put what was read to use."""
