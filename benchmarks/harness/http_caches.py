"""Caches in C before an HTTP origin: nginx and Varnish as in production, on one core, with access logs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.harness.options import CACHE
from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, answers

NGINX = """\
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log combined;
  keepalive_timeout 75;
  keepalive_requests 1000000000;
  sendfile on;
  tcp_nopush on;
{tuning}  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {memory} levels=1:2 keys_zone=answers:10m max_size=64m inactive=1h use_temp_path=off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{origin};
      proxy_cache answers;
      proxy_cache_key "$request_uri$http_authorization";
      proxy_cache_valid 200 1h;
      proxy_ignore_headers Cache-Control Expires;
      proxy_hide_header X-Request-Id;
      proxy_hide_header X-Cache;
      add_header X-Cache $upstream_cache_status;
      add_header X-Request-Id $request_id;
    }}
  }}
}}
"""
VARNISH = """\
vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{ return (hash); }}
sub vcl_backend_response {{ set beresp.ttl = 1h; }}
sub vcl_deliver {{ set resp.http.X-Cache = "HIT"; }}
"""


@contextmanager
def nginx(
    origin: int, *, cores: frozenset[int], may_install: bool, keeps_files_open: bool = False
) -> Iterator[tuple[Program, int] | Missing]:
    """nginx's proxy_cache on a memory file system, before the server at port ``origin``.

    ``keeps_files_open`` adds ``open_file_cache``, which nginx leaves off by itself.
    """
    program = debian_program("nginx", "nginx", may_install=may_install)
    if isinstance(program, Missing):
        yield program
        return
    port = free_port()
    folder, memory = _fresh(f"nginx-{port}"), Path("/dev/shm") / f"steinmetz-nginx-{port}"
    tuning = "  open_file_cache max=1000 inactive=60s;\n" if keeps_files_open else ""
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        NGINX.format(user=user, folder=folder, memory=memory, port=port, origin=origin, tuning=tuning)
    )
    try:
        command: list[str | Path] = [program, "-c", config, "-p", folder]
        with Program(command, log=folder / "nginx.log", cores=cores) as running:
            running.wait_until(answers(f"http://127.0.0.1:{port}/public"))
            yield running, port
    finally:
        shutil.rmtree(memory, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def varnish(
    origin: int, *, cores: frozenset[int], may_install: bool
) -> Iterator[tuple[list[Program], int] | Missing]:
    """Varnish in memory, and varnishncsa that writes its access log: both count."""
    program = debian_program("varnishd", "varnish", may_install=may_install)
    if isinstance(program, Missing):
        yield program
        return
    port, folder = free_port(), _fresh("varnish")
    (folder / "default.vcl").write_text(VARNISH.format(origin=origin))
    command: list[str | Path] = [program, "-F", "-n", folder / "work", "-a", f"127.0.0.1:{port}"]
    command += ["-f", folder / "default.vcl", "-s", "malloc,64m", "-j", "none"]
    with ExitStack() as stack:
        running = [stack.enter_context(Program(command, log=folder / "varnish.log", cores=cores))]
        running[0].wait_until(answers(f"http://127.0.0.1:{port}/public"))
        log: list[str | Path] = [program.with_name("varnishncsa")]
        if not program.with_name("varnishncsa").exists():
            log = ["varnishncsa"]
        log += ["-n", folder / "work", "-w", folder / "access.log"]
        running.append(stack.enter_context(Program(log, log=folder / "ncsa.log", cores=cores)))
        yield running, port


def _fresh(name: str) -> Path:
    folder = CACHE / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
