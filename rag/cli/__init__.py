"""The `recoupe` command: parses arguments, asks the assistant, prints in French."""
