"""WHAT WE TELL OF OURSELVES: request ids and logs. Never a prompt, a key or a credential."""
