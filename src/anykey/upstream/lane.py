"""One way to one server: connections are exchangeable within a lane and nowhere else."""

from anykey.upstream.proxy import Proxy


class Lane:
    """Scheme, host and port, and the proxy before them. Compared by identity: the client makes one of each. `public_only`: no
    connection of it leads to an address that is not of the public internet."""

    __slots__ = ("host", "port", "proxy", "public_only", "scheme")

    def __init__(self, scheme: str, host: str, port: int, proxy: Proxy | None, *, public_only: bool = False) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.proxy = proxy
        self.public_only = public_only

    @property
    def peer(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"
