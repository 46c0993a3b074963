"""Asks a zygote to run one stage, and ends as that ended. It imports little: it starts fast.

A message is the stage's name, the folder and the environment, a zero after each, and one more at
the end.
"""

import os
import signal
import socket
import struct
import sys


def main() -> None:
    """Hand over stage, working directory, environment and output; wait for the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    here = os.getcwd()  # noqa: PTH109  (pathlib takes longer to import than all the rest)
    client = socket.socket(socket.AF_UNIX)
    try:
        # The kernel wants a socket's path short, so it is named from its own folder.
        os.chdir(os.environ["SEEDBED_ZYGOTE"])
        client.connect("zygote")
    except (FileNotFoundError, ConnectionRefusedError):
        # It was killed, for its memory perhaps: this stage imports for itself.
        os.chdir(here)
        del os.environ["SEEDBED_ZYGOTE"]
        os.execvp("sh", ["sh", "src/stage.sh", sys.argv[1]])
    variables = (b"%s=%s" % variable for variable in os.environb.items())
    message = b"\0".join([os.fsencode(sys.argv[1]), os.fsencode(here), *variables]) + b"\0\0"
    try:
        sent = socket.send_fds(client, [message], [1, 2])
        client.sendall(message[sent:])
        answer = client.recv(4)
    except ConnectionError:
        answer = b""
    if len(answer) < 4:
        sys.exit(
            f"{sys.argv[1]}: the process that ran this stage was killed, for its memory perhaps: "
            "run it again"
        )
    code = struct.unpack("i", answer)[0]
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
