"""INBOUND HTTP: the inference plane (raw ASGI under uvicorn), health, and the process that holds it all."""
