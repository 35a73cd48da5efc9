"""Attack a running Recoupe: what an audit found must not come back.

The bench starts the app of the tree that it stands in, as subprocesses on 127.0.0.1 over an
index that it makes, and asks for what nobody should be given: files, routes that the page does
not need, paid text, other sessions, more than a fair share. Each attempt is a row, held or a
fault. Nothing leaves the machine; requests are bounded in number and time; at the end the
processes that were started are stopped and the folders that were made are removed.

    python -m bench.attack                  # everything, some minutes
    python -m bench.attack --fast           # what takes little time
    python -m bench.attack --only paid csv  # these areas
    python -m bench.attack --json FILE      # the rows, for other tools

The exit status is 1 with a fault.
"""
