"""Asks the VIP every few milliseconds and keeps who answered from when to when.

    python3 probe.py ADDRESS PORT EVERY_MS FOLDER

FOLDER/answers has a line for each stretch in which one node answered without a gap: `WHO FIRST_MS LAST_MS COUNT`, wall clock of this
machine. A change of the node, or GAP_MS without an answer, ends a stretch. The stretch that goes on is in FOLDER/answers.open.
Limits: an answer counts when it arrives; one that was lost is not asked for again, the next packet is already on its way. Between two stretches of the same
node less than GAP_MS apart nothing is seen.
"""

import os
import select
import socket
import sys
import time

GAP_MS = 20
KEEP_EVERY_S = 0.1


class Stretch:
    def __init__(self, who, at_ms):
        self.who, self.first_ms, self.last_ms, self.count = who, at_ms, at_ms, 1

    def line(self):
        return f"{self.who} {self.first_ms:.3f} {self.last_ms:.3f} {self.count}\n"


class Record:
    def __init__(self, folder):
        self.closed = open(os.path.join(folder, "answers"), "a", buffering=1)
        self.open_path = os.path.join(folder, "answers.open")
        self.now = None

    def heard(self, who, at_ms):
        now = self.now
        if now is not None and now.who == who and at_ms - now.last_ms <= GAP_MS:
            now.last_ms, now.count = at_ms, now.count + 1
            return
        if now is not None:
            self.closed.write(now.line())
        self.now = Stretch(who, at_ms)

    def keep(self):
        if self.now is None:
            return
        with open(self.open_path + ".new", "w") as file:
            file.write(self.now.line())
        os.replace(self.open_path + ".new", self.open_path)


def main():
    address, port, every_s, folder = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000, sys.argv[4]
    os.makedirs(folder, exist_ok=True)
    record = Record(folder)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    number, start = 0, time.monotonic()
    keep_at = start
    while True:
        now = time.monotonic()
        due = start + number * every_s
        if now >= due:
            # What could not be asked in time is not made up for: a burst would say nothing.
            number = max(number + 1, int((now - start) / every_s))
            try:
                sock.sendto(str(number).encode(), (address, port))
            except OSError:
                pass
        if now >= keep_at:
            record.keep()
            keep_at = now + KEEP_EVERY_S
        ready, _, _ = select.select([sock], [], [], max(0.0, start + number * every_s - time.monotonic()))
        while ready:
            try:
                words = sock.recv(128).split()
            except OSError:
                break
            if len(words) == 2:
                record.heard(words[1].decode(), time.time() * 1000)


main()
