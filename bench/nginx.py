"""nginx as a reverse proxy before the same upstream: the floor that a relay written in C sets on this machine."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.calls import Call
from bench.target import NotStarted, Target, free_port, stop, wait_for_answer

_CONFIGURATION = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 256k;
  client_max_body_size 64m;
  keepalive_requests 10000000;
  upstream fake {{
    server 127.0.0.1:{upstream_port};
    keepalive 128;
    keepalive_requests 10000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://fake;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


def configuration(folder: Path, port: int, upstream_port: int) -> str:
    """nginx.conf: one worker, no log, kept-alive upstream connections, nothing buffered on the way back.

    A master that runs as root would make its worker nobody, which may not write in our folder; so it is named.
    """
    user = f"user {pwd.getpwuid(0).pw_name};\n" if os.geteuid() == 0 else ""
    return _CONFIGURATION.format(user=user, folder=folder, port=port, upstream_port=upstream_port)


def nginx_program() -> str | None:
    """Where nginx is; Debian puts it in /usr/sbin, which is not on every PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running_nginx(upstream_port: int, call: Call) -> Generator[Target | None]:
    """Starts nginx on a free port and waits until `call` is answered through it; None where nginx is not installed."""
    program = nginx_program()
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="anykey-bench-nginx-") as name:
        folder, port = Path(name), free_port()
        path = folder / "nginx.conf"
        path.write_text(configuration(folder, port, upstream_port))
        log = folder / "error.log"
        command = [program, "-p", name, "-c", str(path), "-e", str(log)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_answer(process, port, call)
            yield Target("nginx", process.pid, port)
        except NotStarted as error:
            said = log.read_text()[-500:] if log.exists() else ""
            raise NotStarted(f"nginx: {error} {said}") from error
        finally:
            stop(process)
