"""HTTP for operators (`/admin/v1`) and for whoever holds a key (`/v1/usage`, `/v1/balance`, `/v1/key` …).

`mount` is all that the serving process loads at its start. The rest, which needs FastAPI and pydantic (35 MB), is loaded when the
first caller with a valid key asks for something here.
"""
