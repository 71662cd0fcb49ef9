"""The directory of the cluster: which gateways are alive.

A register keeps nothing on disk and asks nobody. Gateways announce themselves on a link and stay
listed while it lives; workers and clients watch and are told at once. Several registers know nothing
of each other: gateways announce to all, watchers unite the answers.

``directory`` decides (pure, time is an argument), ``announcement`` checks what may be announced,
``server`` speaks to the links, ``admin`` to HTTP; ``process`` starts and stops both. On the links' port PHP
programs are answered in their own lines: ``doorway`` tells the two apart, ``php`` knows the lines, and
``php_watchers`` who is told what.
"""
