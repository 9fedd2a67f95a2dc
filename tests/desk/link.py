"""Stands in for sluice-ssh: runs the command here, in a session of its own,
as a host would. It can be killed without the command's notice; its process id
is in $SLUICE_TEST_PG/link."""
import os
import subprocess
import sys
import threading

words = sys.argv[sys.argv.index("--") + 2 :]
with open(os.path.join(os.environ["SLUICE_TEST_PG"], "link"), "w") as f:
    f.write(str(os.getpid()))
child = subprocess.Popen(
    ["sh", "-c", " ".join(words)],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    start_new_session=True,
)


def pump():
    while True:
        part = os.read(0, 65536)
        if not part:
            break
        child.stdin.write(part)
        child.stdin.flush()
    child.stdin.close()


threading.Thread(target=pump, daemon=True).start()
for line in child.stdout:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
sys.exit(child.wait())
