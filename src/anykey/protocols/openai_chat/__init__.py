"""OpenAI Chat Completions, ``POST /v1/chat/completions``: as its clients write it and as the servers that copy it answer."""
