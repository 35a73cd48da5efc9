"""Other people's pipelines, to be measured beside ours in an environment of their own.

    python -m bench.peers FOLDER

makes the environment (`requirements.txt`). Its scripts run there, know nothing
of Recoupe, and print one line of JSON.
"""
