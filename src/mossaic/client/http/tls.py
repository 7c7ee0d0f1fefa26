"""How the other side of a TLS connection is verified, as an SSLContext."""

from __future__ import annotations

import ssl


def make_context(verify: bool | str | ssl.SSLContext) -> ssl.SSLContext:
    """True: the system's authorities; a text: the file (PEM) of others instead; False: anybody is believed.

    Raises OSError for a file that cannot be read, ValueError for one without certificates.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    except ssl.SSLError as error:
        raise ValueError(f"{verify} holds no certificates: {error.reason or error}") from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # Python before 3.11.4 takes a connection that was cut for one that was ended: an answer that ends with it would pass as whole.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    return context
