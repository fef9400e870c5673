# SPDX-License-Identifier: Apache-2.0
"""A TLS client that can do, and tell apart, every way a connection ends.

Python's own SSLSocket cannot send close_notify and go on reading, and takes a
bare FIN for a clean end.  Here OpenSSL works on memory, and the socket is ours.
"""

import os
import socket
import ssl
import struct

from wire import Reader, request

CLEAN = "close_notify"
FIN = "bare FIN"
RESET = "reset"

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(ca, cert_dir=None, version=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.load_verify_locations(ca)
    ctx.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version is not None:
        ctx.minimum_version = ctx.maximum_version = VERSIONS[version]
    if cert_dir is not None:
        ctx.load_cert_chain(os.path.join(cert_dir, "cert.pem"),
                            os.path.join(cert_dir, "key.pem"))
    return ctx


class TlsClient:
    def __init__(self, address, ctx, server_name="127.0.0.1", timeout=30):
        self.sock = socket.create_connection(address, timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.from_peer = ssl.MemoryBIO()
        self.to_peer = ssl.MemoryBIO()
        self.tls = ctx.wrap_bio(self.from_peer, self.to_peer,
                                server_hostname=server_name)
        self.plain = b""     # read while looking for something else
        self.ended = None    # CLEAN, FIN or RESET, once recv() gave b""
        self.reader = Reader(self.recv)
        try:
            self._handshake()
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def _flush(self):
        data = self.to_peer.read()
        if data:
            self.sock.sendall(data)

    def _feed(self):
        """More ciphertext from the socket; None at its end."""
        data = self.sock.recv(65536)
        if data:
            self.from_peer.write(data)
        else:
            self.from_peer.write_eof()

    def _handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                self._flush()
                raise

    def send(self, data):
        self.tls.write(data)
        self._flush()

    def send_ciphertext_of(self, data, cut):
        """All but the last `cut` bytes of the record that would hold data."""
        self.tls.write(data)
        record = self.to_peer.read()
        self.sock.sendall(record[:-cut])

    def recv(self):
        """Bytes, or b"" at the end; self.ended then says which end."""
        if self.plain:
            data, self.plain = self.plain, b""
            return data
        while self.ended is None:
            try:
                data = self.tls.read(65536)
                if data:
                    return data
                self.ended = CLEAN
            except ssl.SSLWantReadError:
                try:
                    self._feed()
                except ConnectionResetError:
                    self.ended = RESET
            except ssl.SSLZeroReturnError:
                self.ended = CLEAN
            except ssl.SSLError as e:
                if e.reason != "UNEXPECTED_EOF_WHILE_READING":
                    raise
                self.ended = FIN
        return b""

    def shutdown_write(self):
        """Sends close_notify; reading goes on.

        SSL_shutdown() wants the peer's close_notify next and takes data for
        an error, so what has arrived is read out of its way first; with
        nothing to read it says "want read", which is success here.
        """
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                break
            if not data:
                self.ended = CLEAN
                break
            self.plain += data
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def fin(self):
        """TCP's end without TLS's."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def ask(self, method, target, headers=(), body=None, chunks=None):
        self.send(request(method, target, headers, body, chunks))
        return self.reader.answer(method)

    def end(self):
        """Reads to the end: (what came, how it ended)."""
        data = self.reader.rest()
        return data, self.ended
