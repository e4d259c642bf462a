"""nginx's configuration."""

from pathlib import Path

from bench.nginx import configuration


def test_configuration_listens_on_loopback_and_streams() -> None:
    text = configuration(Path("/somewhere/else"), 8001, 9001)
    assert "listen 127.0.0.1:8001;" in text
    assert "server 127.0.0.1:9001;" in text
    assert "proxy_buffering off;" in text
    assert text.count("{") == text.count("}")
    written = [line for line in text.splitlines() if "_path" in line or "pid" in line or "error_log" in line]
    assert len(written) == 7
    assert all("/somewhere/else/" in line for line in written)
