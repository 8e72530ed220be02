"""PyMySQL's connection, but for what takes it the longest: reading every certificate authority to verify nothing."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import pymysql


class Connection(pymysql.Connection):
    """A connection that makes at once what TLS needs where the URL says nothing of it: then no server is verified.

    https://pymysql.readthedocs.io/en/latest/modules/connections.html
    """

    def _create_ssl_ctx(self, options: Any) -> ssl.SSLContext:
        if options:
            return super()._create_ssl_ctx(options)  # type: ignore[misc,no-any-return]  # its stubs leave it out
        return _unverified()


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
