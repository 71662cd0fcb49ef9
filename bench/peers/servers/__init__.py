"""The peers' servers: each the fastest way to broadcast that its documentation tells, and nothing else.

Files of Python run in the peers' own virtual environment and import nothing of ours but `orders`;
files of JavaScript find their libraries through NODE_PATH. package.json, its lock and
requirements.txt pin them; nchan.conf has its port and folder filled in by `bench.peers.nchan`. What a
server gains here from a setting, its documentation advises for everybody.
"""
