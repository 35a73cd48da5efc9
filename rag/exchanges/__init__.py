"""What readers asked and what they got, for the newsroom: kept where a setting says so, for a time.

No address, no session; what tells a private person is masked before anything is written.
"""
