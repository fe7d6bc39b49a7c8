"""The service behind the VIP of a drill: answers every packet, and every connection, with the name of its node.

    python3 echo.py NODE ADDRESS PORT

UDP: what came, a blank, the name. TCP: the name, then the end of the connection. Limit: one thread; a silent connection delays no other,
since the name is sent without waiting for a word.
"""

import selectors
import socket
import sys


def main():
    node, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, port))
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, port))
    tcp.listen(64)
    waiting = selectors.DefaultSelector()
    waiting.register(udp, selectors.EVENT_READ)
    waiting.register(tcp, selectors.EVENT_READ)
    name = node.encode()
    print("echo up", flush=True)
    while True:
        for key, _ in waiting.select():
            try:
                if key.fileobj is udp:
                    asked, whom = udp.recvfrom(64)
                    udp.sendto(asked + b" " + name, whom)
                else:
                    caller, _ = tcp.accept()
                    with caller:
                        caller.send(name + b"\n")
            except OSError:
                # The client is gone; the next one is not.
                pass


main()
