"""One way to one server: connections are exchangeable within a lane and nowhere else."""

from anykey.upstream.proxy import Proxy


class Lane:
    """Scheme, host and port, and the proxy before them. Compared by identity: the client makes one of each."""

    __slots__ = ("host", "port", "proxy", "scheme")

    def __init__(self, scheme: str, host: str, port: int, proxy: Proxy | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.proxy = proxy

    @property
    def peer(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"
